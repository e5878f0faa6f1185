//! The network of a seed.

use std::time::Duration;

use crate::oscore::tests::simulation::random::Random;

/// Percentages, and times in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    loss: usize,
    repetition: usize,
    corruption: usize,
    latency: usize,
    stragglers: usize,
}

/// What overtaken datagrams take at most: beyond some retransmissions.
const STRAGGLE: usize = 20_000;

impl Network {
    pub(super) fn of(seed: u64, random: &mut Random) -> Self {
        Self {
            loss: [0, 10, 20, 30, 40][seed as usize % 5],
            repetition: [0, 10, 30][random.below(3)],
            corruption: [1, 5, 10][random.below(3)],
            latency: [20, 300, 2_000][random.below(3)],
            stragglers: [0, 5, 20][random.below(3)],
        }
    }

    /// It does no harm any more, and is as slow as before.
    pub(super) fn calm(self) -> Self {
        Self {
            loss: 0,
            repetition: 0,
            corruption: 0,
            stragglers: 0,
            latency: self.latency.min(300),
        }
    }

    /// When each copy of a datagram arrives, and as what.
    pub(super) fn copies(self, random: &mut Random, datagram: &[u8]) -> Vec<(Duration, Vec<u8>)> {
        let copies = 1 + usize::from(random.below(100) < self.repetition);
        let mut arriving = Vec::new();
        for _ in 0..copies {
            if random.below(100) < self.loss {
                continue;
            }
            let straggles = random.below(100) < self.stragglers;
            let most = if straggles { STRAGGLE } else { self.latency };
            let delay = Duration::from_millis(1 + random.below(most) as u64);
            let is_corrupted = random.below(100) < self.corruption;
            let bytes = match is_corrupted && !datagram.is_empty() {
                true => corrupt(random, datagram),
                false => datagram.to_vec(),
            };
            arriving.push((delay, bytes));
        }
        arriving
    }
}

/// One byte is another one, or the end is missing.
fn corrupt(random: &mut Random, datagram: &[u8]) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    let at = random.below(bytes.len());
    match random.once_in(4) {
        true => bytes.truncate(at),
        false => bytes[at] ^= 1 + random.below(255) as u8,
    }
    bytes
}
