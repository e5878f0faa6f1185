//! The last requests.

use std::collections::VecDeque;

use share::{Amount, Bound, Bounds, Owner, Shares};

/// Requests that are kept: a screen or two.
pub(super) const RECENT: usize = 100;
/// Those of one host, if others have sent some.
const OF_HOST: usize = Bound::eighth(RECENT).host;
const ONE: Amount = Amount::piece(0);

/// The last requests, the newest last. A host above its share displaces its own, so that one that sends without end
/// leaves those of others on the page.
pub(super) struct Recent<T> {
    in_order: VecDeque<(Owner, T)>,
    shares: Shares,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::NONE),
        }
    }
}

impl<T> Recent<T> {
    pub(super) fn push(&mut self, owner: Owner, request: T) {
        if self.in_order.len() == RECENT {
            let is_own = |(other, _): &(Owner, T)| other.holder() == owner.holder();
            let is_above = self.shares.held_by_holder(owner).pieces >= OF_HOST;
            let displaced = match is_above {
                true => self.in_order.iter().position(is_own).unwrap_or(0),
                false => 0,
            };
            if let Some((displaced, _)) = self.in_order.remove(displaced) {
                self.shares.give_back(displaced, ONE);
            }
        }
        self.shares.add(owner, ONE);
        self.in_order.push_back((owner, request));
    }

    /// The newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.in_order.iter().rev().map(|(_, request)| request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_sends_without_end_leaves_the_requests_of_others() {
        let mut recent = Recent::default();
        let push = |recent: &mut Recent<_>, host: u64, count: usize| {
            (0..count).for_each(|number| recent.push(Owner::new(host, None), (host, number)));
        };
        let of = |recent: &Recent<(u64, usize)>, wanted: u64| {
            let of_host = recent.newest_first().filter(|(host, _)| *host == wanted);
            of_host.count()
        };
        push(&mut recent, 1, 1000);
        assert_eq!(of(&recent, 1), RECENT, "alone it has all of them");
        push(&mut recent, 2, 30);
        push(&mut recent, 3, 1);
        push(&mut recent, 1, 1000);
        assert_eq!([1, 2, 3].map(|host| of(&recent, host)), [87, OF_HOST, 1]);
        assert_eq!(recent.newest_first().next(), Some(&(1, 999)));
        let hopping = (0..1000).map(|address| Owner::new(100 + address, Some(7)));
        hopping.for_each(|owner| recent.push(owner, (7, 0)));
        assert_eq!(of(&recent, 3), 1);
        assert_eq!(of(&recent, 7), OF_HOST);
    }
}
