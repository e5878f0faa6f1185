//! The replay window of a recipient context (RFC 8613 §7.4): the last 32 sequence numbers of the peer.
//!
//! It is in memory only. After a restart it is lost, and a request is accepted only if it is fresh by Echo (Appendix
//! B.1.2): to store the window before each request would cost a write for each.

use super::nonce::PartialIv;

/// Numbers that the window holds: the default of RFC 8613 §3.2.2.
const SIZE: u64 = u32::BITS as u64;

/// The window.
#[derive(Debug)]
pub(super) enum ReplayWindow {
    /// Which numbers were received is not known any more.
    Lost,
    /// It is known.
    Held(Held),
}

/// What a window holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// One more than the highest number received.
    end: u64,
    /// Bit `i` says whether `end - 1 - i` was received.
    received: u32,
}

impl Held {
    /// Whether a number was not received, and is not too old to tell.
    pub(super) fn admits(&self, iv: PartialIv) -> bool {
        match self.end.checked_sub(iv.number() + 1) {
            None => true,
            Some(age) => age < SIZE && self.received >> age & 1 == 0,
        }
    }

    /// A number was received, and its message is authentic.
    pub(super) fn receive(&mut self, iv: PartialIv) {
        let end = iv.number() + 1;
        if let Some(age) = self.end.checked_sub(end) {
            self.received |= u32::try_from(age)
                .ok()
                .and_then(|age| 1u32.checked_shl(age))
                .unwrap_or_default();
            return;
        }
        let moved = u32::try_from(end - self.end).unwrap_or(u32::MAX);
        self.received = self.received.checked_shl(moved).unwrap_or_default() | 1;
        self.end = end;
    }
}

impl ReplayWindow {
    /// Of a context that was never used.
    pub(super) fn unused() -> Self {
        Self::Held(Held::default())
    }

    /// The peer has made this number after the window was lost: all lower ones count as received (Appendix B.1.2).
    pub(super) fn recover(&mut self, fresh: PartialIv) {
        *self = Self::Held(Held {
            end: fresh.number() + 1,
            received: u32::MAX,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn iv(number: u64) -> PartialIv {
        PartialIv::new(number).unwrap()
    }

    #[test]
    fn a_number_is_admitted_once_and_within_32_of_the_highest() {
        let mut window = Held::default();
        for number in [0, 40, 9, 39, 10] {
            assert!(window.admits(iv(number)), "{number}");
            window.receive(iv(number));
            assert!(!window.admits(iv(number)), "{number}");
        }
        assert!(!window.admits(iv(8)), "too old to tell");
        assert!(window.admits(iv(11)));
    }

    #[test]
    fn a_recovered_window_admits_only_higher_numbers() {
        let mut window = ReplayWindow::Lost;
        window.recover(iv(50));
        let ReplayWindow::Held(held) = window else {
            panic!("it is held");
        };
        assert!((0..=50).all(|number| !held.admits(iv(number))));
        assert!(held.admits(iv(51)));
    }

    proptest! {
        #[test]
        fn no_number_is_admitted_twice(numbers in proptest::collection::vec(0..100u64, 0..200)) {
            let (mut window, mut received) = (Held::default(), HashSet::new());
            for number in numbers {
                let highest = received.iter().max().copied().unwrap_or(0);
                let is_new = !received.contains(&number) && number + SIZE > highest;
                prop_assert_eq!(window.admits(iv(number)), is_new);
                if is_new {
                    window.receive(iv(number));
                    received.insert(number);
                }
            }
        }
    }
}
