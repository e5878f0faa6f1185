//! Statistics of devices: number and time of their requests.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::unix_time::unix_ms;
use coap::code::Dotted;

/// Addresses with statistics, some 150 KiB: more devices than one border router has. A sender with ever new addresses
/// evicts other devices here, and nowhere else.
const MAX_DEVICES: usize = 2048;

/// A device, by its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its address.
    pub address: IpAddr,
    /// Time of its last response, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Number of its requests since it was recorded.
    pub requests: u64,
    /// The last response code, like `2.04`.
    pub code: String,
}

/// Devices by address.
#[derive(Default)]
pub struct Devices {
    recorded: HashMap<IpAddr, Record>,
    evicted: u64,
}

struct Record {
    at: SystemTime,
    requests: u64,
    code: u8,
}

impl Devices {
    /// Records a response to a device.
    pub(super) fn record(&mut self, at: SystemTime, address: IpAddr, code: u8) {
        if let Some(record) = self.recorded.get_mut(&address) {
            record.at = at;
            record.requests += 1;
            record.code = code;
            return;
        }
        if self.recorded.len() == MAX_DEVICES {
            self.evict_half();
        }
        let requests = 1;
        self.recorded.insert(address, Record { at, requests, code });
    }

    /// Half at a time: a search for the oldest one at each new address would cost time under a flood of spoofed
    /// addresses.
    fn evict_half(&mut self) {
        let mut times: Vec<SystemTime> = self.recorded.values().map(|record| record.at).collect();
        let middle = times.len() / 2;
        let (_, &mut median, _) = times.select_nth_unstable(middle);
        let mut excess = middle;
        self.recorded.retain(|_, record| {
            let is_evicted = excess > 0 && record.at <= median;
            excess -= usize::from(is_evicted);
            !is_evicted
        });
        self.evicted += (MAX_DEVICES - self.recorded.len()) as u64;
    }

    pub(super) fn recorded(&self) -> usize {
        self.recorded.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The last `count` devices, the newest first.
    pub(super) fn latest(&self, count: usize) -> Vec<Device> {
        let mut all: Vec<_> = self.recorded.iter().collect();
        all.sort_unstable_by_key(|(address, record)| (std::cmp::Reverse(record.at), **address));
        let shown = |(address, record): (&IpAddr, &Record)| Device {
            address: *address,
            unix_ms: unix_ms(record.at),
            requests: record.requests,
            code: Dotted(record.code).to_string(),
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
    fn ever_new_addresses_evict_the_oldest_and_nothing_grows() {
        let start = SystemTime::UNIX_EPOCH;
        let mut devices = Devices::default();
        for number in 0..10 * MAX_DEVICES {
            let at = start + Duration::from_secs(number as u64);
            devices.record(at, address(number), 69);
            // A device that keeps sending is not among the oldest.
            devices.record(at, address(0), 68);
            assert!(devices.recorded() <= MAX_DEVICES);
        }
        let latest = devices.latest(2);
        let addresses: Vec<_> = latest.iter().map(|device| device.address).collect();
        assert_eq!(addresses, [address(0), address(10 * MAX_DEVICES - 1)]);
        assert_eq!(latest[0].requests, 10 * MAX_DEVICES as u64 + 1);
        assert_eq!(latest[0].code, "2.04");
        let recorded = devices.recorded() as u64;
        assert_eq!(devices.evicted() + recorded, 10 * MAX_DEVICES as u64);
    }

    #[test]
    fn devices_of_one_moment_are_evicted_by_halves_too() {
        let mut devices = Devices::default();
        for number in 0..=MAX_DEVICES {
            devices.record(SystemTime::UNIX_EPOCH, address(number), 69);
        }
        assert_eq!(devices.recorded(), MAX_DEVICES / 2 + 1);
    }
}
