//! Numbers that stand for homeservers, accounts, lanes and devices in the outbox. They are keyed hashes, made anew in
//! each process: nobody can choose a name that collides with another's, and a record takes a fixed number of bytes.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use coap::NetworkSettings;
use homeserver::{PreparedCall, Session};
use outbox::Origin;
use share::Owner;

use super::key::Key;

/// Bits of an IPv6 network (RFC 4291 §2.5.1): a host chooses the others itself.
const NETWORK_BITS: u32 = 64;

#[cfg(not(test))]
type HashKey = std::hash::RandomState;
/// In tests the names are the same in each run.
#[cfg(test)]
type HashKey = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

#[derive(Default)]
pub(super) struct Names(HashKey);

impl Names {
    /// Whose share of the outbox a delivery uses: that of its principal, or of its device's address and network.
    /// `networks`: those of devices, which are not bounded as a whole.
    fn owner(&self, key: &Key<'_>, networks: &[NetworkSettings]) -> Owner {
        let host = self.device(key);
        if key.principal.is_some() {
            return Owner::new(host, None);
        }
        let is_bounded = !NetworkSettings::has_devices(networks, &key.ip);
        let network = match key.ip {
            IpAddr::V6(ip) if is_bounded => Some(ip.to_bits() >> NETWORK_BITS),
            _ => None,
        };
        Owner::new(host, network.map(|network| self.of(&("network", network))))
    }

    /// Where a delivery comes from and goes.
    pub(super) fn origin(&self, key: &Key<'_>, networks: &[NetworkSettings]) -> Origin {
        let server = self.of(&("server", key.origin));
        let account = self.of(&("account", server, key.account));
        Origin {
            owner: self.owner(key, networks),
            server,
            account,
            lane: self.of(&("lane", account, key.lane)),
        }
    }

    /// The device's own name of the message in its lane.
    pub(super) fn transaction(&self, key: &Key<'_>, origin: &Origin) -> u64 {
        self.of(&("transaction", origin.device(), origin.lane, key.transaction))
    }

    /// All that makes two messages of a device one, but for the account that they go to.
    pub(super) fn message(&self, key: &Key<'_>, call: &PreparedCall) -> u64 {
        let request = call.request();
        // The last segment is the id of the delivery, which names the account.
        let path = request.path().split_last().map(|(_, before)| before);
        let (device, body) = (self.device(key), request.body());
        self.of(&("message", device, key.origin, path, body, key.transaction))
    }

    /// The account of a call that the gateway has chosen for its device: that of a login, or the configured one.
    pub(super) fn chosen_account(&self, key: &Key<'_>, session: Option<&Session>) -> u64 {
        let user = session.map(|session| &*session.user);
        self.of(&("chosen account", key.origin, user))
    }

    fn device(&self, key: &Key<'_>) -> u64 {
        self.of_device(key.principal, key.ip)
    }

    /// A device: its principal, else its IP address.
    pub(super) fn of_device(&self, principal: Option<&str>, ip: IpAddr) -> u64 {
        match principal {
            Some(principal) => self.of(&("principal", principal)),
            None => self.of(&("address", ip)),
        }
    }

    fn of(&self, parts: &impl Hash) -> u64 {
        self.0.hash_one(parts)
    }
}
