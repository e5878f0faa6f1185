//! Statistics of devices: number and time of their requests.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::unix_time::unix_ms;
use coap::PeerFacts;
use coap::code::Dotted;
use contract::escaping::escaped;
use share::{Amount, Bounds, Owner, Shares};

/// Addresses with statistics, some 200 KiB: more devices than one border router has. A sender with ever new addresses
/// evicts its own, and if it forges them, those that nobody has proven.
const MAX_DEVICES: usize = 2048;
/// Part of a list that one network gets, if there are others: an eighth. Unproven addresses get half.
const PARTS: usize = 8;
const ONE: Amount = Amount::piece(0);

/// A device, by its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Its address.
    pub address: IpAddr,
    /// Its name at the last request, if it had authenticated itself.
    #[serde(default)]
    pub name: Option<String>,
    /// Time of its last response, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Number of its requests since it was recorded.
    pub requests: u64,
    /// The last response code, like `2.04`.
    pub code: String,
    /// Whether its address was proven at the last request.
    #[serde(default)]
    pub is_proven: bool,
    /// Bytes of the block that it asked for or sent last, within an hour.
    #[serde(default)]
    pub block_size: Option<usize>,
    /// Whether it does not acknowledge separate responses: it gets them with the acknowledgement.
    #[serde(default)]
    pub ignores_responses: bool,
}

/// Where a request came from.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    pub(super) address: IpAddr,
    pub(super) owner: Owner,
    pub(super) facts: PeerFacts,
}

/// Devices by address.
pub struct Devices {
    recorded: HashMap<IpAddr, Record>,
    shares: Shares,
    evicted: u64,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            recorded: HashMap::new(),
            shares: Shares::new(Bounds::of_pieces(MAX_DEVICES)),
            evicted: 0,
        }
    }
}

struct Record {
    at: SystemTime,
    requests: u64,
    code: u8,
    /// That of its last request.
    principal: Option<Arc<str>>,
    owner: Owner,
    /// Whether it has ever proven that it receives at its address: others may be forged.
    is_proven: bool,
    /// Those of its last request.
    facts: PeerFacts,
}

impl Devices {
    /// Records a response to a device.
    pub(super) fn record(
        &mut self,
        at: SystemTime,
        from: Sender,
        principal: Option<&Arc<str>>,
        code: u8,
    ) {
        let Sender {
            address,
            owner,
            facts,
        } = from;
        if let Some(record) = self.recorded.get_mut(&address) {
            record.at = at;
            record.requests += 1;
            record.code = code;
            // Mostly the same: without a new count of its references.
            if record.principal.as_ref() != principal {
                record.principal = principal.cloned();
            }
            record.is_proven |= facts.is_proven;
            record.facts = facts;
            return;
        }
        if self.recorded.len() == MAX_DEVICES {
            self.evict_half();
        }
        self.shares.add(owner, ONE);
        let record = Record {
            at,
            requests: 1,
            code,
            principal: principal.cloned(),
            owner,
            is_proven: facts.is_proven,
            facts,
        };
        self.recorded.insert(address, record);
    }

    /// Half at a time: a search for one at each new address would cost time under a flood of spoofed addresses. Those
    /// of a network above its share go first, then those that nobody has proven, then the oldest.
    fn evict_half(&mut self) {
        let (shares, middle) = (&self.shares, self.recorded.len() / 2);
        let rank = |record: &Record| {
            let is_within = !shares.is_over(record.owner);
            (is_within, record.is_proven, record.at)
        };
        let mut ranks: Vec<_> = self.recorded.values().map(rank).collect();
        let (_, &mut median, _) = ranks.select_nth_unstable(middle);
        let mut excess = middle;
        let mut evicted = Vec::new();
        self.recorded.retain(|_, record| {
            let is_evicted = excess > 0 && rank(record) <= median;
            excess -= usize::from(is_evicted);
            evicted.extend(is_evicted.then_some(record.owner));
            !is_evicted
        });
        for owner in &evicted {
            self.shares.give_back(*owner, ONE);
        }
        self.evicted += evicted.len() as u64;
    }

    pub(super) fn recorded(&self) -> usize {
        self.recorded.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The last `count` devices, the newest first. One network, and all unproven addresses, have a share of the list;
    /// what is left is for the others of them.
    pub(super) fn latest(&self, count: usize) -> Vec<Device> {
        let mut all: Vec<_> = self.recorded.iter().collect();
        let newest_first = |(address, record): &(&IpAddr, &Record)| (Reverse(record.at), **address);
        all.sort_unstable_by_key(newest_first);
        let mut of_holder: HashMap<u64, usize> = HashMap::new();
        let mut unproven = 0;
        let (mut shown, beyond): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, record)| {
            let held = of_holder.entry(record.owner.holder()).or_default();
            *held += 1;
            unproven += usize::from(!record.is_proven);
            *held <= count.div_ceil(PARTS) && (record.is_proven || unproven <= count / 2)
        });
        shown.extend(beyond);
        shown.truncate(count);
        shown.sort_unstable_by_key(newest_first);
        let device = |(address, record): (&IpAddr, &Record)| Device {
            address: *address,
            name: record.principal.as_deref().map(|name| escaped(name, 64)),
            unix_ms: unix_ms(record.at),
            requests: record.requests,
            code: Dotted(record.code).to_string(),
            is_proven: record.facts.is_proven,
            block_size: record.facts.block_size,
            ignores_responses: record.facts.ignores_responses,
        };
        shown.into_iter().map(device).collect()
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

    const PROVEN: PeerFacts = PeerFacts {
        is_proven: true,
        block_size: None,
        ignores_responses: false,
    };

    /// A host of its own.
    fn from(number: usize) -> Sender {
        Sender {
            address: address(number),
            owner: Owner::new(number as u64, None),
            facts: PROVEN,
        }
    }

    #[test]
    fn a_flood_of_one_network_or_of_forged_addresses_leaves_the_devices_of_others() {
        let second = |number: usize| SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64);
        let network = |number| Sender {
            owner: Owner::new(number as u64, Some(1 << 40)),
            ..from(number)
        };
        let forged = |number| Sender {
            facts: PeerFacts::default(),
            ..from(number)
        };
        let flood: [&dyn Fn(usize) -> Sender; 2] = [&network, &forged];
        for sender in flood {
            let mut devices = Devices::default();
            for number in 0..10 {
                devices.record(second(number), from(number), None, 69);
            }
            for number in 10..10 * MAX_DEVICES {
                devices.record(second(number), sender(number), None, 69);
                assert!(devices.recorded() <= MAX_DEVICES);
            }
            let latest = devices.latest(20);
            let honest = |device: &&Device| device.address < address(10);
            assert_eq!(
                (latest.len(), latest.iter().filter(honest).count()),
                (20, 10)
            );
            assert!(latest.is_sorted_by_key(|device| Reverse(device.unix_ms)));
            assert_eq!(devices.shares.in_all().pieces, devices.recorded());
        }
    }

    #[test]
    fn ever_new_addresses_evict_the_oldest_and_nothing_grows() {
        let start = SystemTime::UNIX_EPOCH;
        let mut devices = Devices::default();
        for number in 0..10 * MAX_DEVICES {
            let at = start + Duration::from_secs(number as u64);
            devices.record(at, from(number), None, 69);
            // A device that keeps sending is not among the oldest.
            devices.record(at, from(0), None, 68);
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
            devices.record(SystemTime::UNIX_EPOCH, from(number), None, 69);
        }
        assert_eq!(devices.recorded(), MAX_DEVICES / 2 + 1);
    }
}
