//! A network that loses, repeats, delays and so reorders datagrams, all by a seed.

use std::time::Duration;

/// The seed's sequence of numbers: splitmix64, so that neighbouring seeds have nothing in common.
pub(in crate::tests) struct Random(u64);

impl Random {
    pub(in crate::tests) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::tests) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    pub(in crate::tests) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(in crate::tests) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    pub(in crate::tests) fn milliseconds(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// How bad it is. Both directions alike.
#[derive(Clone, Copy, Debug)]
pub(in crate::tests) struct Network {
    /// Percent of copies that vanish.
    pub(in crate::tests) loss: u64,
    /// Percent of datagrams that are there twice.
    duplication: u64,
    /// Milliseconds that a copy takes at most.
    latency: u64,
    /// Percent of copies that take up to [`STRAGGLE`] instead: they are overtaken.
    stragglers: u64,
}

/// Milliseconds that a straggler takes at most. Beyond some retransmissions, within EXCHANGE_LIFETIME.
const STRAGGLE: u64 = 20_000;

impl Network {
    /// The network of a seed: 30 % loss, but for one in ten without, one with 10 % and one with 60 %.
    pub(in crate::tests) fn of(seed: u64, random: &mut Random) -> Self {
        Self {
            loss: match seed % 10 {
                0 => 0,
                1 => 10,
                2 => 60,
                _ => 30,
            },
            duplication: random.pick(&[0, 10, 30]),
            latency: random.pick(&[20, 300, 2_000]),
            stragglers: random.pick(&[0, 5, 20]),
        }
    }

    /// How long each copy of a datagram travels that arrives.
    pub(in crate::tests) fn copies(&self, random: &mut Random) -> Vec<Duration> {
        let copies = 1 + usize::from(random.percent(self.duplication));
        let mut arriving = Vec::with_capacity(copies);
        for _ in 0..copies {
            if !random.percent(self.loss) {
                let straggles = random.percent(self.stragglers);
                let most = if straggles { STRAGGLE } else { self.latency };
                arriving.push(random.milliseconds(most));
            }
        }
        arriving
    }
}
