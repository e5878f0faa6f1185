//! Which user has an access token: learned from logins that pass by. So messages that were taken over with one token of
//! a user can be sent with a later one, and those of one user to one room keep their order. A token whose login this
//! gateway has not seen stands for itself.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use contract::secret::AccessToken;
use sha2::{Digest, Sha256};
use share::{Amount, Bounds, Owner, Shares};
use store::database::{Batch, Space};

use super::new_delivery::first_eight;

/// Tokens: four for each device of a large building. The oldest is forgotten first; 300 KB in memory and on the disk.
const MOST: usize = 4096;

/// Users by their tokens.
pub(super) struct Users(RefCell<Known>);

struct Known {
    by_token: HashMap<u64, u64>,
    /// The oldest first, with their hosts. Those that are restored have none.
    in_order: VecDeque<(u64, Option<Owner>)>,
    shares: Shares,
}

impl Default for Users {
    fn default() -> Self {
        Self(RefCell::new(Known {
            by_token: HashMap::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MOST)),
        }))
    }
}

impl Users {
    /// The account of a token, and whether it is that of a user: else the token stands for itself.
    pub(super) fn account(&self, origin: &str, token: &AccessToken) -> (u64, bool) {
        let own = first_eight(token.digest());
        let known = self.0.borrow();
        let user = known.by_token.get(&of_token(origin, own)).copied();
        (user.unwrap_or(own), user.is_some())
    }

    /// A user has got a token from a homeserver, by a login of this host. Returns the user's account and what the store
    /// has to take; none if that is known. If the host has its share, its own oldest token is forgotten.
    pub(super) fn add(
        &self,
        (origin, user): (&str, &str),
        token: &AccessToken,
        owner: Owner,
        unix: Option<u64>,
    ) -> Option<(u64, Batch)> {
        let mut known = self.0.borrow_mut();
        let token = of_token(origin, first_eight(token.digest()));
        if known.by_token.contains_key(&token) {
            return None;
        }
        let user = digest(&[b"user", origin.as_bytes(), user.as_bytes()]);
        let mut batch = Batch::new();
        // At most two: the oldest of all, and one of its own.
        while let Some(place) = known.leaving(owner) {
            let (oldest, owner) = known.in_order.remove(place)?;
            known.by_token.remove(&oldest);
            owner.inspect(|owner| known.shares.give_back(*owner, Amount::piece(0)));
            batch.delete(Space::Users, oldest);
        }
        known.by_token.insert(token, user);
        known.in_order.push_back((token, Some(owner)));
        known.shares.add(owner, Amount::piece(0));
        batch.put(Space::Users, token, row(user, unix));
        Some((user, batch))
    }

    /// Restores the rows of the store.
    pub(super) fn restore(&self, mut rows: Vec<(u64, Vec<u8>)>) {
        let time = |row: &[u8]| row.get(8..).map(<[u8]>::to_owned);
        rows.sort_by_cached_key(|(_, row)| time(row));
        let mut known = self.0.borrow_mut();
        for (token, row) in rows {
            if let Some(user) = row.first_chunk() {
                known.by_token.insert(token, u64::from_be_bytes(*user));
                known.in_order.push_back((token, None));
            }
        }
    }
}

impl Known {
    /// The token that has to leave for another one of this host: the oldest, if there are too many; the host's oldest,
    /// if it has its share.
    fn leaving(&self, owner: Owner) -> Option<usize> {
        if self.in_order.len() >= MOST {
            return Some(0);
        }
        self.shares.admit(owner, Amount::piece(0)).err()?;
        let is_its = |other: &Owner| {
            let is_of_network = other.network.is_some() && other.network == owner.network;
            other.host == owner.host || is_of_network
        };
        self.in_order
            .iter()
            .position(|(_, holder)| holder.as_ref().is_some_and(is_its))
    }
}

/// The user, and when the login was: big-endian numbers of 64 bits.
fn row(user: u64, unix: Option<u64>) -> Vec<u8> {
    let numbers = [user, unix.unwrap_or(0)];
    numbers.into_iter().flat_map(u64::to_be_bytes).collect()
}

/// The homeserver is a part of it: another one could give out the same token.
fn of_token(origin: &str, token: u64) -> u64 {
    digest(&[b"token", origin.as_bytes(), &token.to_be_bytes()])
}

fn digest(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    first_eight(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "http://h/";

    fn token(number: usize) -> AccessToken {
        AccessToken::parse(format!("token{number}").as_bytes()).unwrap()
    }

    fn owner(host: u64) -> Owner {
        Owner::new(host, None)
    }

    #[test]
    fn two_tokens_of_one_user_are_one_account_and_others_stand_for_themselves() {
        let users = Users::default();
        for number in [1, 2] {
            users
                .add((ORIGIN, "@a:h"), &token(number), owner(1), None)
                .unwrap();
        }
        users
            .add((ORIGIN, "@b:h"), &token(3), owner(1), None)
            .unwrap();
        users
            .add(("http://other/", "@a:h"), &token(5), owner(1), None)
            .unwrap();
        let of = |number| users.account(ORIGIN, &token(number)).0;
        assert_eq!(of(1), of(2));
        let others = [
            of(1),
            of(3),
            of(4),
            of(5),
            users.account("http://other/", &token(5)).0,
        ];
        let distinct: std::collections::HashSet<_> = others.into_iter().collect();
        assert_eq!(distinct.len(), others.len());
        let has = |origin, number| users.account(origin, &token(number)).1;
        assert!(has(ORIGIN, 1) && !has(ORIGIN, 4));
        assert!(!has("http://other/", 1));
    }

    #[test]
    fn what_was_stored_is_restored_in_its_order() {
        let users = Users::default();
        for number in 0..3 {
            let unix = Some(1_800_000_000 + number as u64);
            users
                .add((ORIGIN, "@a:h"), &token(number), owner(1), unix)
                .unwrap();
        }
        let rows = users.0.borrow();
        let row_of =
            |(place, token): (usize, u64)| (token, row(rows.by_token[&token], Some(place as u64)));
        let in_order: Vec<u64> = rows.in_order.iter().map(|(token, _)| *token).collect();
        let stored = in_order.iter().copied().enumerate().map(row_of);
        let again = Users::default();
        again.restore(stored.rev().collect());
        let restored = again.0.borrow();
        assert_eq!(restored.by_token, rows.by_token);
        let order: Vec<u64> = restored.in_order.iter().map(|(token, _)| *token).collect();
        assert_eq!(order, in_order);
    }

    #[test]
    fn a_host_that_logs_in_often_keeps_its_last_tokens_and_beyond_all_the_oldest_leaves() {
        let users = Users::default();
        for number in 0..MOST {
            users.add((ORIGIN, "@a:h"), &token(number), owner(1), None);
        }
        assert_eq!(users.0.borrow().in_order.len(), MOST / 8);
        let is_users = |number| users.account(ORIGIN, &token(number)).1;
        assert!(
            is_users(MOST - 1) && is_users(MOST - MOST / 8),
            "its last ones"
        );
        assert!(!is_users(MOST - MOST / 8 - 1), "and no others");
        let mut next = MOST;
        for host in 2..20 {
            for _ in 0..MOST / 8 {
                users.add((ORIGIN, "@a:h"), &token(next), owner(host), None);
                next += 1;
            }
        }
        assert!(users.0.borrow().in_order.len() <= MOST);
        let has = |number| users.account(ORIGIN, &token(number)).1;
        assert!(has(next - 1) && !has(0));
    }
}
