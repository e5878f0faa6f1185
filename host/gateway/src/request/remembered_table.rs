//! The remembered values in memory, and their bounds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::source::SecuredSession;
use contract::secret::AccessToken;

/// Values of one device: it has up to four sessions of DTLS and a security context, and in each of them a few values of
/// one or two rules. The one that was set longest ago makes room.
const MOST_OF_DEVICE: usize = 32;
/// Bytes in all: a key version and a usual token of 5,000 devices; routers have a quarter. The device that was heard of
/// longest ago makes room: a device that sends its options again loses nothing.
const MOST_BYTES: usize = if cfg!(feature = "router") {
    512 << 10
} else {
    2 << 20
};
/// What a value takes besides its bytes, about.
const OVERHEAD: usize = 128;

/// A value. It cannot be printed.
pub(super) enum Kept {
    Token(AccessToken),
    Bytes(Box<[u8]>),
}

impl Kept {
    fn bytes(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Token(token) => token.length(),
                Self::Bytes(bytes) => bytes.len(),
            }
    }
}

/// Which value it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) session: SecuredSession,
    pub(super) rule: Arc<str>,
    pub(super) number: u16,
}

#[derive(Default)]
struct Device {
    /// The order of its last use.
    used: u64,
    values: Vec<(Place, Kept)>,
}

/// All values, by the names of their devices.
#[derive(Default)]
pub(super) struct Table {
    devices: HashMap<Arc<str>, Device>,
    by_use: BTreeMap<u64, Arc<str>>,
    last_use: u64,
    bytes: usize,
}

impl Table {
    /// Remembers a value in place of the one before.
    pub(super) fn keep(&mut self, name: &Arc<str>, place: Place, kept: Kept) {
        let is_former = |other: &Place| match (other.session, place.session) {
            // A device has one security context: a new one replaces it.
            (SecuredSession::Context(other), SecuredSession::Context(new)) if other != new => true,
            _ => *other == place,
        };
        self.forget(name, is_former);
        self.bytes += kept.bytes();
        let device = self.devices.entry(name.clone()).or_default();
        device.values.push((place, kept));
        if device.values.len() > MOST_OF_DEVICE {
            let (_, oldest) = device.values.remove(0);
            self.bytes -= oldest.bytes();
        }
        self.touch(name);
        while self.bytes > MOST_BYTES
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            let oldest = oldest.clone();
            self.forget(&oldest, |_| true);
        }
    }

    /// The value at this place.
    pub(super) fn find(&mut self, name: &str, place: &Place) -> Option<&Kept> {
        let name = self.devices.get_key_value(name)?.0.clone();
        self.touch(&name);
        let values = &self.devices.get(&name)?.values;
        let found = values.iter().find(|(other, _)| other == place);
        found.map(|(_, kept)| kept)
    }

    fn touch(&mut self, name: &Arc<str>) {
        if let Some(device) = self.devices.get_mut(name) {
            self.by_use.remove(&device.used);
            self.last_use += 1;
            device.used = self.last_use;
            self.by_use.insert(device.used, name.clone());
        }
    }

    /// Forgets values of a device.
    pub(super) fn forget(&mut self, name: &str, is_meant: impl Fn(&Place) -> bool) {
        let Some(device) = self.devices.get_mut(name) else {
            return;
        };
        let bytes = &mut self.bytes;
        device.values.retain(|(place, kept)| {
            let stays = !is_meant(place);
            if !stays {
                *bytes -= kept.bytes();
            }
            stays
        });
        if device.values.is_empty()
            && let Some(device) = self.devices.remove(name)
        {
            self.by_use.remove(&device.used);
        }
    }

    /// Forgets the values of other rules.
    pub(super) fn retain_rules(&mut self, is_left: impl Fn(&str) -> bool) {
        let names: Vec<_> = self.devices.keys().cloned().collect();
        for name in names {
            self.forget(&name, |place| !is_left(&place.rule));
        }
    }

    /// Values, and their bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let values = self.devices.values().map(|device| device.values.len());
        (values.sum(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(session: SecuredSession, number: u16) -> Place {
        Place {
            session,
            rule: "msc".into(),
            number,
        }
    }

    fn bytes(length: usize) -> Kept {
        Kept::Bytes(vec![1; length].into())
    }

    fn has(table: &mut Table, name: &str, place: &Place) -> bool {
        table.find(name, place).is_some()
    }

    #[test]
    fn a_session_has_its_own_values_and_its_end_forgets_them() {
        let mut table = Table::default();
        let (one, other) = (SecuredSession::Dtls(1), SecuredSession::Dtls(2));
        table.keep(&"a".into(), place(one, 257), bytes(1));
        table.keep(&"a".into(), place(other, 257), bytes(1));
        assert!(!has(&mut table, "b", &place(one, 257)));
        assert!(!has(&mut table, "a", &place(one, 256)));
        table.forget("a", |place| place.session == one);
        assert!(!has(&mut table, "a", &place(one, 257)));
        assert!(has(&mut table, "a", &place(other, 257)));
        table.forget("a", |_| true);
        assert_eq!(table.size(), (0, 0));
        assert!(table.by_use.is_empty() && table.devices.is_empty());
    }

    #[test]
    fn a_new_security_context_forgets_what_the_former_one_had() {
        let mut table = Table::default();
        let (one, other) = (SecuredSession::Context(1), SecuredSession::Context(2));
        table.keep(&"a".into(), place(one, 257), bytes(1));
        table.keep(&"a".into(), place(SecuredSession::Dtls(1), 257), bytes(1));
        table.keep(&"a".into(), place(other, 256), bytes(1));
        assert!(!has(&mut table, "a", &place(one, 257)));
        assert!(has(&mut table, "a", &place(SecuredSession::Dtls(1), 257)));
        assert_eq!(table.size().0, 2);
    }

    #[test]
    fn a_device_that_sets_values_without_end_displaces_its_own() {
        let mut table = Table::default();
        table.keep(
            &"honest".into(),
            place(SecuredSession::Dtls(0), 257),
            bytes(1),
        );
        for session in 1..100_000 {
            let place = place(SecuredSession::Dtls(session), 257);
            table.keep(&"hostile".into(), place, bytes(64));
        }
        assert_eq!(table.size().0, 1 + MOST_OF_DEVICE);
        assert!(has(
            &mut table,
            "honest",
            &place(SecuredSession::Dtls(0), 257)
        ));
    }

    #[test]
    fn when_all_is_full_the_device_that_was_not_heard_of_for_longest_is_forgotten() {
        let mut table = Table::default();
        let of = place(SecuredSession::Dtls(1), 256);
        let room = MOST_BYTES / (OVERHEAD + 1000);
        for device in 0..room {
            table.keep(&device.to_string().into(), of.clone(), bytes(1000));
        }
        assert!(has(&mut table, "0", &of), "this is a use");
        table.keep(&"new".into(), of.clone(), bytes(1000));
        assert!(has(&mut table, "0", &of) && has(&mut table, "new", &of));
        assert!(!has(&mut table, "1", &of));
        assert!(table.size().1 <= MOST_BYTES);
    }
}
