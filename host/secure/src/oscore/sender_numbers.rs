//! Sender sequence numbers, reserved in the store before they are used (RFC 8613 Appendix B.1.1): a power cut loses
//! reserved numbers, but no number is ever used twice.

use super::nonce::{END_OF_NUMBERS, PartialIv};

/// Numbers of one reservation. A notification or a challenge takes one, a response to a request none: a device that is
/// notified each minute costs a write in two hours. Fewer in tests of this crate, which have to reach the end of a
/// block.
pub(super) const BLOCK: u64 = if cfg!(test) { 8 } else { 256 };

/// The next reservation is asked for when this many numbers are left, so that the store has time for it.
const LOW: u64 = BLOCK / 2;

/// Why there is no number now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoNumber {
    /// The store has not confirmed the reservation yet.
    #[error("the reservation of sequence numbers is not stored yet; try again when it is")]
    NotStored,
    /// All 2^40 numbers are used.
    #[error("all sequence numbers of the security context are used; rotate its key")]
    Exhausted,
}

/// The numbers of one context.
#[derive(Debug)]
pub(super) struct SenderNumbers {
    /// Where they began when the gateway started.
    resumed_at: u64,
    next: u64,
    /// Numbers below are reserved in the store.
    stored_end: u64,
    /// The same once the write in progress is done.
    asked_end: u64,
    /// Whether a write is in progress.
    is_asked: bool,
}

impl SenderNumbers {
    /// Goes on where the reservation that the store holds ends: all numbers below may have been used.
    pub(super) fn resume(stored_end: u64) -> Self {
        let end = stored_end.min(END_OF_NUMBERS);
        Self {
            resumed_at: end,
            next: end,
            stored_end: end,
            asked_end: end,
            is_asked: false,
        }
    }

    /// Those of a context that the store has either not at all, or with the end of the first block: that block may be
    /// used at once.
    pub(super) fn agreed() -> Self {
        Self {
            resumed_at: 0,
            next: 0,
            stored_end: BLOCK,
            asked_end: 0,
            is_asked: false,
        }
    }

    /// Where they began when the gateway started: another place at each start that has used them.
    pub(super) fn resumed_at(&self) -> u64 {
        self.resumed_at
    }

    /// The next number, which is used whatever becomes of the message.
    pub(super) fn take(&mut self) -> Result<PartialIv, NoNumber> {
        let number = PartialIv::new(self.next).ok_or(NoNumber::Exhausted)?;
        if self.next >= self.stored_end {
            return Err(NoNumber::NotStored);
        }
        self.next += 1;
        Ok(number)
    }

    /// Whether the store has a reservation of numbers that were not used before the start.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn is_reserved(&self) -> Result<(), NoNumber> {
        match (self.stored_end > self.resumed_at, self.resumed_at) {
            (true, _) => Ok(()),
            (false, END_OF_NUMBERS) => Err(NoNumber::Exhausted),
            (false, _) => Err(NoNumber::NotStored),
        }
    }

    /// The end of a reservation to be stored, if one is needed. Each end is returned once.
    pub(super) fn poll_reservation(&mut self) -> Option<u64> {
        let is_low = self.asked_end.saturating_sub(self.next) <= LOW;
        let is_needed = is_low && !self.is_asked && self.asked_end < END_OF_NUMBERS;
        is_needed.then(|| {
            self.is_asked = true;
            self.asked_end = (self.asked_end + BLOCK).min(END_OF_NUMBERS);
            self.asked_end
        })
    }

    /// The end that the store has already, for a caller that has more to store with it. None while a write is in
    /// progress.
    pub(super) fn poll_again(&mut self) -> Option<u64> {
        (!std::mem::replace(&mut self.is_asked, true)).then_some(self.asked_end)
    }

    /// The store holds a reservation up to this end. An end that was not asked for does not count.
    pub(super) fn reserved(&mut self, end: u64) {
        if end <= self.asked_end {
            self.stored_end = self.stored_end.max(end);
            self.is_asked &= end < self.asked_end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_used_before_its_reservation_is_stored() {
        let mut numbers = SenderNumbers::resume(0);
        assert_eq!(numbers.take(), Err(NoNumber::NotStored));
        assert_eq!(numbers.poll_reservation(), Some(BLOCK));
        assert_eq!(numbers.poll_reservation(), None);
        assert_eq!(numbers.take(), Err(NoNumber::NotStored));
        numbers.reserved(BLOCK + 1);
        assert_eq!(
            numbers.is_reserved(),
            Err(NoNumber::NotStored),
            "nobody asked for that end"
        );
        numbers.reserved(BLOCK);
        for expected in 0..BLOCK {
            assert_eq!(numbers.take().map(PartialIv::number), Ok(expected));
        }
        assert_eq!(numbers.take(), Err(NoNumber::NotStored));
        assert_eq!(
            numbers.is_reserved(),
            Ok(()),
            "requests are accepted without numbers"
        );
    }

    #[test]
    fn the_next_reservation_is_asked_for_before_the_last_number_is_used() {
        let mut numbers = SenderNumbers::resume(0);
        let first = numbers.poll_reservation().unwrap();
        numbers.reserved(first);
        let used = (0..BLOCK)
            .take_while(|_| {
                numbers.take().unwrap();
                numbers.poll_reservation().is_none()
            })
            .count() as u64;
        assert_eq!(used + 1, BLOCK - LOW);
    }

    #[test]
    fn an_agreed_context_has_its_first_block_at_once_and_the_next_one_after_a_write() {
        let mut numbers = SenderNumbers::agreed();
        assert_eq!(numbers.is_reserved(), Ok(()));
        assert_eq!(numbers.poll_reservation(), Some(BLOCK));
        for expected in 0..BLOCK {
            assert_eq!(numbers.take().map(PartialIv::number), Ok(expected));
            assert_eq!(numbers.poll_reservation(), None, "one write at a time");
        }
        assert_eq!(numbers.take(), Err(NoNumber::NotStored));
        numbers.reserved(BLOCK);
        assert_eq!(numbers.take(), Err(NoNumber::NotStored));
        assert_eq!(numbers.poll_reservation(), Some(2 * BLOCK));
        numbers.reserved(2 * BLOCK);
        assert_eq!(numbers.take().map(PartialIv::number), Ok(BLOCK));
    }

    #[test]
    fn numbers_go_on_at_the_reserved_end_and_end_at_2_to_40() {
        let mut numbers = SenderNumbers::resume(1000);
        numbers.poll_reservation();
        numbers.reserved(1000 + BLOCK);
        assert_eq!(numbers.take().map(PartialIv::number), Ok(1000));
        let mut last = SenderNumbers::resume(END_OF_NUMBERS - 1);
        assert_eq!(last.poll_reservation(), Some(END_OF_NUMBERS));
        last.reserved(END_OF_NUMBERS);
        assert!(last.take().is_ok());
        assert_eq!(last.take(), Err(NoNumber::Exhausted));
        assert_eq!(last.poll_reservation(), None);
        let restarted = SenderNumbers::resume(END_OF_NUMBERS);
        assert_eq!(restarted.is_reserved(), Err(NoNumber::Exhausted));
    }
}
