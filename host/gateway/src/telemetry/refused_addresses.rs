//! The log lines about devices whose address may not use the gateway's access token: the device gets 4.01, and the
//! operator learns which setting would let it in.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use share::{Amount, Bounds, Owner, Shares};

/// Addresses with a line in the last hour. A network that was moved or renumbered has its devices among them.
const MAX_ADDRESSES: usize = 256;
/// A line for each address in this time: the operator sees what is refused today, and flash memory is not worn.
const SILENCE: Duration = Duration::from_secs(3600);

/// The addresses that have had their line.
#[derive(Default)]
pub(crate) struct RefusedAddresses(RefCell<Logged>);

struct Logged {
    addresses: HashSet<IpAddr>,
    in_order: VecDeque<(Instant, IpAddr, Owner)>,
    shares: Shares,
    /// Lines for which there was no room.
    left_out: u64,
}

impl Default for Logged {
    fn default() -> Self {
        Self {
            addresses: HashSet::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MAX_ADDRESSES)),
            left_out: 0,
        }
    }
}

impl RefusedAddresses {
    /// Logs that this address was refused, unless it has had its line within the hour.
    pub(crate) fn log(&self, now: Instant, address: IpAddr, owner: Owner) {
        let Some(left_out) = self.0.borrow_mut().admit(now, address, owner) else {
            return;
        };
        let others = match left_out {
            0 => String::new(),
            count => format!("; {count} such requests of other addresses had no line"),
        };
        tracing::info!(
            "{address} sent no access token and got 4.01: if it may use the gateway's, add its address or network to \
             token_peers; else it must send one in option 256{others}"
        );
    }
}

impl Logged {
    /// How many lines were left out since the last one; none if this is one more.
    fn admit(&mut self, now: Instant, address: IpAddr, owner: Owner) -> Option<u64> {
        while let Some((_, address, owner)) =
            self.in_order.pop_front_if(|(at, ..)| *at + SILENCE <= now)
        {
            self.addresses.remove(&address);
            self.shares.give_back(owner, Amount::piece(0));
        }
        if self.addresses.contains(&address) {
            return None;
        }
        if self.shares.take(owner, Amount::piece(0)).is_err() {
            self.left_out += 1;
            return None;
        }
        self.addresses.insert(address);
        self.in_order.push_back((now, address, owner));
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn an_address_has_one_line_an_hour() {
        let (mut logged, start) = (Logged::default(), Instant::now());
        let owner = Owner::new(1, None);
        let times = [0, 1, 3599, 3600, 3601, 7200].map(Duration::from_secs);
        let admitted = times.map(|time| logged.admit(start + time, address(1), owner).is_some());
        assert_eq!(admitted, [true, false, false, true, false, true]);
        assert_eq!(logged.addresses.len(), 1);
    }

    #[test]
    fn a_network_takes_an_eighth_of_the_lines_and_the_rest_is_counted() {
        let (mut logged, now) = (Logged::default(), Instant::now());
        let hopping = |number: u32| Owner::new(number.into(), Some(7));
        let taken = (0..1000).filter(|number| {
            let admitted = logged.admit(now, address(*number), hopping(*number));
            admitted.is_some()
        });
        assert_eq!(taken.count(), MAX_ADDRESSES / 8);
        let other = logged.admit(now, address(2000), Owner::new(2000, None));
        assert_eq!(other, Some(1000 - MAX_ADDRESSES as u64 / 8));
        let later = now + SILENCE;
        assert_eq!(logged.admit(later, address(0), hopping(0)), Some(0));
        assert_eq!((logged.addresses.len(), logged.in_order.len()), (1, 1));
    }
}
