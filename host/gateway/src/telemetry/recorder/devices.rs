//! Which devices were heard of, and when last.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::unix_ms;
use coap::code::Dotted;

/// Addresses that are remembered, some 150 KiB: more devices than one border router has. Whoever sends from ever new
/// addresses lets others be forgotten here, and nowhere else.
const KNOWN: usize = 2048;

/// A device, by its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its address.
    pub address: IpAddr,
    /// When its last exchange ended, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Its exchanges since it is known.
    pub exchanges: u64,
    /// The last response code, like `2.04`.
    pub code: String,
}

/// Devices by address.
#[derive(Default)]
pub struct Devices {
    known: HashMap<IpAddr, Seen>,
    forgotten: u64,
}

struct Seen {
    at: SystemTime,
    exchanges: u64,
    code: u8,
}

impl Devices {
    /// An exchange with a device has ended.
    pub(super) fn seen(&mut self, at: SystemTime, address: IpAddr, code: u8) {
        if let Some(seen) = self.known.get_mut(&address) {
            seen.at = at;
            seen.exchanges += 1;
            seen.code = code;
            return;
        }
        if self.known.len() == KNOWN {
            self.forget_half();
        }
        let exchanges = 1;
        self.known.insert(
            address,
            Seen {
                at,
                exchanges,
                code,
            },
        );
    }

    /// Half at a time: to look for the oldest one for each new address would be work for whoever makes up addresses.
    fn forget_half(&mut self) {
        let mut times: Vec<SystemTime> = self.known.values().map(|seen| seen.at).collect();
        let middle = times.len() / 2;
        let (_, &mut median, _) = times.select_nth_unstable(middle);
        let mut excess = middle;
        self.known.retain(|_, seen| {
            let goes = excess > 0 && seen.at <= median;
            excess -= usize::from(goes);
            !goes
        });
        self.forgotten += (KNOWN - self.known.len()) as u64;
    }

    pub(super) fn known(&self) -> usize {
        self.known.len()
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The last `count` that were heard of, the newest first.
    pub(super) fn latest(&self, count: usize) -> Vec<Device> {
        let mut all: Vec<_> = self.known.iter().collect();
        all.sort_unstable_by_key(|(address, seen)| (std::cmp::Reverse(seen.at), **address));
        let shown = |(address, seen): (&IpAddr, &Seen)| Device {
            address: *address,
            unix_ms: unix_ms(seen.at),
            exchanges: seen.exchanges,
            code: Dotted(seen.code).to_string(),
        };
        all.into_iter().take(count).map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn address(number: usize) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()).into()
    }

    #[test]
    fn ever_new_addresses_let_the_oldest_be_forgotten_and_nothing_grow() {
        let start = SystemTime::UNIX_EPOCH;
        let mut devices = Devices::default();
        for number in 0..10 * KNOWN {
            let at = start + Duration::from_secs(number as u64);
            devices.seen(at, address(number), 69);
            // A device that goes on is not among the oldest.
            devices.seen(at, address(0), 68);
            assert!(devices.known() <= KNOWN);
        }
        let latest = devices.latest(2);
        let addresses: Vec<_> = latest.iter().map(|device| device.address).collect();
        assert_eq!(addresses, [address(0), address(10 * KNOWN - 1)]);
        assert_eq!(latest[0].exchanges, 10 * KNOWN as u64 + 1);
        assert_eq!(latest[0].code, "2.04");
        let known = devices.known() as u64;
        assert_eq!(devices.forgotten() + known, 10 * KNOWN as u64);
    }

    #[test]
    fn devices_of_one_moment_are_forgotten_by_halves_too() {
        let mut devices = Devices::default();
        for number in 0..=KNOWN {
            devices.seen(SystemTime::UNIX_EPOCH, address(number), 69);
        }
        assert_eq!(devices.known(), KNOWN / 2 + 1);
    }
}
