//! Sequence numbers of observations that have ended without their client's knowledge. If it registers again with the
//! same token, it takes smaller ones for older for 128 s (RFC 7641 §3.4), and would ignore what they come with.

use std::collections::VecDeque;

use crate::message::Token;

/// Observations that are remembered: 32 KiB. A network that was out of reach has fewer devices.
const MOST: usize = 1024;

struct Ended {
    peer_hash: u64,
    token: Token,
    number: u32,
}

/// The last numbers, the oldest first.
#[derive(Default)]
pub(super) struct LastNumbers(VecDeque<Ended>);

impl LastNumbers {
    /// Remembers the last number of an observation that ends.
    pub(super) fn push(&mut self, peer_hash: u64, token: Token, number: u32) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Ended {
            peer_hash,
            token,
            number,
        });
    }

    /// Takes the number that the next observation with this token goes on from; none if no earlier one is remembered.
    pub(super) fn take(&mut self, peer_hash: u64, token: Token) -> Option<u32> {
        let is_it = |ended: &Ended| ended.peer_hash == peer_hash && ended.token == token;
        let place = self.0.iter().position(is_it)?;
        self.0.remove(place).map(|ended| ended.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut numbers = LastNumbers::default();
        let token = Token::default();
        for peer in 0..=MOST as u64 {
            numbers.push(peer, token, 7);
        }
        assert_eq!(numbers.take(0, token), None);
        assert_eq!(numbers.take(1, token), Some(7));
        assert_eq!(numbers.take(1, token), None);
    }
}
