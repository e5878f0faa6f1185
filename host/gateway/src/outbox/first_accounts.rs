//! The account that a message of a device has gone to first. A device that repeats a message, with its own number in
//! another datagram, must not send it in the name of another account: its room would have it twice.
//!
//! That can happen to a device with a login and a granted token of the configuration: when the login ends between an
//! attempt and its repetition, the gateway would go on with the granted token. The id of a delivery does not tell: it
//! names the account too. A device that presents a token chooses its account itself, and is not meant here.
//!
//! A restart forgets it.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use share::{Amount, Bounds, Owner, Shares};

/// As long as attempts are remembered: twice the lifetime of a message ID.
const KEPT: Duration = Duration::from_secs(500);
/// Eight messages per second; 300 KB. One that finds no room is not remembered.
const MOST: usize = 4096;

/// The messages of the last minutes, by numbers that stand for all that makes two of them one.
pub(super) struct FirstAccounts(RefCell<Messages>);

struct Messages {
    by_number: HashMap<u64, First>,
    in_order: VecDeque<(Duration, u64, Owner)>,
    shares: Shares,
}

struct First {
    account: u64,
    /// Whether the account's room may have it.
    may_be_there: bool,
}

/// An attempt under the account of a message: whether an earlier one may have succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    message: u64,
    was_maybe_there: bool,
}

/// The room may have the message already, from another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OtherAccount;

impl Default for FirstAccounts {
    fn default() -> Self {
        Self(RefCell::new(Messages {
            by_number: HashMap::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MOST)),
        }))
    }
}

impl FirstAccounts {
    /// A message is about to be sent under an account. `now`: since the start of this process.
    ///
    /// # Errors
    /// [`OtherAccount`]: do not send it.
    pub(super) fn claim(
        &self,
        now: Duration,
        message: u64,
        account: u64,
        owner: Owner,
    ) -> Result<Claim, OtherAccount> {
        let mut messages = self.0.borrow_mut();
        messages.expire(now);
        let mut claim = Claim {
            message,
            was_maybe_there: false,
        };
        if let Some(first) = messages.by_number.get_mut(&message) {
            if first.may_be_there && first.account != account {
                return Err(OtherAccount);
            }
            claim.was_maybe_there = first.may_be_there;
            first.account = account;
            first.may_be_there = true;
        } else if messages.shares.take(owner, Amount::piece(0)).is_ok() {
            let first = First {
                account,
                may_be_there: true,
            };
            messages.by_number.insert(message, first);
            messages.in_order.push_back((now, message, owner));
        }
        Ok(claim)
    }

    /// The homeserver did not take the message: any account may send it, unless an earlier attempt may have succeeded.
    pub(super) fn refused(&self, claim: Claim) {
        let mut messages = self.0.borrow_mut();
        if let Some(first) = messages.by_number.get_mut(&claim.message) {
            first.may_be_there = claim.was_maybe_there;
        }
    }
}

impl Messages {
    fn expire(&mut self, now: Duration) {
        let is_over = |(at, _, _): &mut (Duration, u64, Owner)| *at + KEPT <= now;
        while let Some((_, message, owner)) = self.in_order.pop_front_if(is_over) {
            self.by_number.remove(&message);
            self.shares.give_back(owner, Amount::piece(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(10);

    fn owner() -> Owner {
        Owner::new(1, None)
    }

    #[test]
    fn a_message_that_may_be_in_the_room_is_not_sent_by_another_account_for_a_while() {
        let accounts = FirstAccounts::default();
        let claim = |at, account| accounts.claim(at, 7, account, owner());
        assert!(claim(START, 1).is_ok() && claim(START, 1).is_ok());
        let last = START + KEPT - Duration::from_millis(1);
        assert_eq!(claim(last, 2), Err(OtherAccount));
        assert!(accounts.claim(last, 8, 2, owner()).is_ok(), "another one");
        assert!(claim(START + KEPT, 2).is_ok());
        assert_eq!(claim(START + KEPT, 1), Err(OtherAccount));
    }

    #[test]
    fn a_message_that_was_refused_may_go_to_another_account_unless_an_attempt_before_succeeded() {
        let accounts = FirstAccounts::default();
        let claim = |account| accounts.claim(START, 7, account, owner());
        accounts.refused(claim(1).unwrap());
        accounts.refused(claim(2).unwrap());
        claim(1).unwrap();
        accounts.refused(claim(1).unwrap());
        assert_eq!(claim(2), Err(OtherAccount));
    }

    #[test]
    fn a_host_that_sends_much_leaves_room_for_the_others_and_nothing_stays() {
        let accounts = FirstAccounts::default();
        for message in 0..2 * MOST as u64 {
            accounts.claim(START, message, 1, owner()).unwrap();
        }
        let other = Owner::new(2, None);
        let message = 3 * MOST as u64;
        accounts.claim(START, message, 1, other).unwrap();
        assert!(accounts.claim(START, message, 2, other).is_err());
        assert_eq!(accounts.0.borrow().in_order.len(), MOST / 8 + 1);
        accounts.claim(START + KEPT, message, 2, other).unwrap();
        assert_eq!(accounts.0.borrow().by_number.len(), 1);
    }
}
