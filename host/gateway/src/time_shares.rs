//! The time that each host takes of the serving thread. Datagrams are no measure of work: one of 60 kB, or one for
//! which a rule computes, takes as long as thousands of small ones.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use share::Owner;

/// The share of one host is an eighth of the time, as of all else that hosts share.
const PARTS: u32 = 8;
/// The time that a host may take at once before it is above its share: that of some hundred requests, which a device
/// behind a gateway of another network may send when that gateway is back.
const BURST: Duration = Duration::from_millis(10);
/// Accounts. Those of hosts below their share are dropped first: a new one equals them. About 100 KiB when full.
const MAX_ACCOUNTS: usize = 4096;

/// The accounts of hosts and of their networks, by keyed hashes. A token bucket each: when it will be full again.
#[derive(Default)]
pub(crate) struct TimeShares {
    full_at: HashMap<u64, Instant>,
    /// The last host that sent a datagram, and when it was another one than before.
    latest: Option<u64>,
    contended_at: Option<Instant>,
}

impl TimeShares {
    /// Counts time that was spent for a host.
    pub(crate) fn charge(&mut self, now: Instant, owner: Owner, spent: Duration) {
        self.add(now, owner.host, spent);
        if let Some(network) = owner.network {
            self.add(now, network.get(), spent);
        }
    }

    fn add(&mut self, now: Instant, account: u64, spent: Duration) {
        if self.full_at.len() >= MAX_ACCOUNTS && !self.full_at.contains_key(&account) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MAX_ACCOUNTS {
                // All of them are in debt, together for more than all time that there is: this cannot last.
                self.full_at.clear();
            }
        }
        let full_at = self.full_at.entry(account).or_insert(now);
        *full_at = (*full_at).max(now) + spent * PARTS;
    }

    /// Whether a datagram of this host waits for those of others: the host is above its share, and others have sent
    /// something within a second.
    pub(crate) fn must_wait(&mut self, now: Instant, owner: Owner) -> bool {
        if self.latest != Some(owner.host) {
            if self.latest.is_some() {
                self.contended_at = Some(now);
            }
            self.latest = Some(owner.host);
        }
        let is_contended = |at: Instant| now < at + Duration::from_secs(1);
        if !self.contended_at.is_some_and(is_contended) {
            return false;
        }
        let is_above = |account: u64| {
            let full_at = self.full_at.get(&account);
            full_at.is_some_and(|full_at| *full_at > now + BURST * PARTS)
        };
        is_above(owner.host) || owner.network.is_some_and(|network| is_above(network.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn owner(host: u64) -> Owner {
        Owner::new(host, Some(1000 + host / 10))
    }

    /// Shares after two hosts have sent datagrams.
    fn contended(now: Instant) -> TimeShares {
        let mut shares = TimeShares::default();
        assert!(!shares.must_wait(now, owner(10)));
        assert!(!shares.must_wait(now, owner(20)));
        shares
    }

    #[test]
    fn a_host_above_its_share_waits_for_others_until_an_eighth_of_the_time_has_made_up_for_it() {
        let start = Instant::now();
        let mut shares = contended(start);
        shares.charge(start, owner(10), 10 * MILLISECOND);
        assert!(!shares.must_wait(start, owner(10)), "a burst");
        shares.charge(start, owner(10), MILLISECOND);
        assert!(shares.must_wait(start, owner(10)));
        assert!(!shares.must_wait(start, owner(20)));
        assert!(shares.must_wait(start + 7 * MILLISECOND, owner(10)));
        assert!(!shares.must_wait(start + 8 * MILLISECOND, owner(10)));
    }

    #[test]
    fn a_host_alone_waits_for_nobody() {
        let start = Instant::now();
        let mut shares = TimeShares::default();
        for number in 0..100 {
            let now = start + number * 10 * MILLISECOND;
            assert!(!shares.must_wait(now, owner(10)));
            shares.charge(now, owner(10), 10 * MILLISECOND);
        }
        assert!(!shares.must_wait(start + 1000 * MILLISECOND, owner(20)));
        assert!(shares.must_wait(start + 1000 * MILLISECOND, owner(10)));
    }

    #[test]
    fn the_addresses_of_one_network_have_one_share_together() {
        let start = Instant::now();
        let mut shares = contended(start);
        for host in 10..20 {
            shares.charge(start, owner(host), 2 * MILLISECOND);
        }
        assert!(shares.must_wait(start, owner(19)));
        assert!(!shares.must_wait(start, owner(20)));
    }

    #[test]
    fn the_accounts_are_bounded_and_those_in_debt_stay() {
        let start = Instant::now();
        let mut shares = contended(start);
        shares.charge(start, owner(10), 100 * MILLISECOND);
        let later = start + 10 * MILLISECOND;
        for host in 100..20_000 {
            shares.charge(later, Owner::new(host, None), Duration::ZERO);
            assert!(shares.full_at.len() <= MAX_ACCOUNTS);
        }
        shares.must_wait(later, owner(20));
        assert!(shares.must_wait(later, owner(10)));
    }
}
