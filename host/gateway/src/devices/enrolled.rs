//! All enrolled devices, in memory and in the store.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use contract::clock::Clock;
use secure::dtls::Fingerprint;
use secure::edhoc::Identity;
use store::database::{Database, ReadError, Records, Space};
use tokio::sync::{Mutex, Notify};

use super::change::Change;
use super::credential::Credential;
use super::edhoc_ring::EdhocRing;
use super::key_ring::KeyRing;
use super::numbers::Numbers;
use super::own_key;
use super::row::Row;
use super::trusted_record;
use crate::coaps_socket::CoapsSocket;
use crate::outbox::Deliveries;
use crate::sessions::Sessions;

/// The devices of a gateway. Its clones are the same ones.
#[derive(Clone)]
pub struct Devices(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) table: RefCell<BTreeMap<Arc<str>, Device>>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) public_keys: Arc<EdhocRing>,
    /// The gateway's own key pair, once a device has needed it.
    pub(super) identity: RefCell<Option<Identity>>,
    /// The authorities that vouch for devices with certificates: eight at most.
    pub(super) trusted: RefCell<Vec<Fingerprint>>,
    pub(super) database: Database,
    /// Their logins, which go with them.
    pub(super) sessions: Sessions,
    pub(super) clock: Clock,
    /// The key of the next record.
    pub(super) next_number: Cell<u64>,
    /// Until the event loop takes them at its next turn: one for each context at the start, and two for a command.
    changes: RefCell<Vec<Change>>,
    /// Wakes the event loop.
    changed: Notify,
    /// One change at a time: each is on the disk before the next one looks.
    pub(super) turn: Mutex<()>,
    pub(super) socket: CoapsSocket,
}

/// An enrolled device.
#[derive(Debug)]
pub(super) struct Device {
    /// The key of its record.
    pub(super) number: u64,
    /// Seconds since 1970.
    pub(super) enrolled: Option<u64>,
    pub(super) credential: Credential,
}

/// The devices in a store whose thread has not started.
#[derive(Default)]
pub struct ReadDevices {
    rows: Vec<(u64, Row)>,
    /// Those of their security contexts, by the number of the device.
    numbers: BTreeMap<u64, Numbers>,
    last: u64,
    identity: Option<Identity>,
    /// See [`super::trusted`].
    trusted: Vec<Fingerprint>,
}

impl ReadDevices {
    /// Reads all records. One that cannot be read is logged, and its device is out of service until it is enrolled
    /// again.
    ///
    /// # Errors
    /// The store's.
    pub fn read(records: &Records) -> Result<Self, ReadError> {
        let mut read = Self::default();
        records.scan(Space::Devices, |number, row| {
            read.last = number;
            match Row::decode(row) {
                Ok(row) => read.rows.push((number, row)),
                Err(error) => tracing::error!("device {number} in the store: {error}"),
            }
        })?;
        records.scan(Space::Numbers, |number, numbers| {
            read.numbers.insert(number, Numbers::decode(numbers));
        })?;
        read.identity = own_key::read(records)?;
        read.trusted = trusted_record::read(records)?;
        Ok(read)
    }

    /// The devices, whose records are in the database of these deliveries.
    #[must_use]
    pub fn with(self, deliveries: &Deliveries, socket: CoapsSocket) -> Devices {
        let devices = Devices(Rc::new(Inner {
            table: RefCell::default(),
            keys: Arc::default(),
            public_keys: Arc::default(),
            identity: RefCell::default(),
            trusted: RefCell::new(self.trusted),
            database: deliveries.database(),
            sessions: deliveries.sessions().clone(),
            clock: Clock::system(),
            next_number: Cell::new(self.last + 1),
            changes: RefCell::default(),
            changed: Notify::new(),
            turn: Mutex::new(()),
            socket,
        }));
        if let Some(identity) = self.identity {
            devices.0.set_identity(identity);
        }
        for (number, row) in self.rows {
            let numbers = self.numbers.get(&number).copied().unwrap_or_default();
            devices.0.insert(number, row, numbers);
        }
        devices
    }
}

impl Devices {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.table.borrow().len()
    }

    /// The socket of `coaps`.
    #[must_use]
    pub fn socket(&self) -> &CoapsSocket {
        &self.0.socket
    }

    /// Whether a device needs the socket of `coaps`.
    #[must_use]
    pub fn need_coaps(&self) -> bool {
        !self.0.keys.is_empty()
    }

    /// The keys, for handshakes.
    pub(crate) fn keys(&self) -> Arc<KeyRing> {
        self.0.keys.clone()
    }

    /// Whether the gateway has a key pair for EDHOC: a device has needed it.
    pub(crate) fn have_key_pair(&self) -> bool {
        self.0.identity.borrow().is_some()
    }

    /// The credentials of devices with key pairs, for handshakes.
    pub(crate) fn public_keys(&self) -> Arc<EdhocRing> {
        self.0.public_keys.clone()
    }

    /// Completes after a change since the last call. Only one caller, the event loop, may wait at a time.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// The changes since the last call.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.0.changes.take()
    }
}

impl Inner {
    /// Puts a device whose record is stored into effect. Returns its name. `numbers`: those of the store.
    pub(super) fn insert(&self, number: u64, row: Row, numbers: Numbers) -> Arc<str> {
        let name: Arc<str> = row.name.into();
        self.keys.reserve(&name);
        let is_usable = match &row.credential {
            Credential::Psk(key) => {
                self.push(Change::Enrolled);
                self.keys.put(&name, key)
            }
            Credential::Oscore(keys) => keys.parameters().is_some_and(|parameters| {
                let name = name.clone();
                self.push(Change::Context {
                    name,
                    parameters,
                    numbers,
                });
                true
            }),
            Credential::Certificate(pinned) => {
                self.push(Change::Enrolled);
                self.keys.pin(&name, pinned.fingerprint);
                true
            }
            Credential::Edhoc(keys) => {
                self.public_keys.put(&name, &keys.ccs);
                self.insert_agreed(&name, keys, numbers);
                true
            }
        };
        if !is_usable {
            tracing::error!("device {name}: its stored key cannot be used; rotate it");
        }
        let device = Device {
            number,
            enrolled: row.enrolled,
            credential: row.credential,
        };
        self.table.borrow_mut().insert(name.clone(), device);
        name
    }

    /// From now on this is the gateway's key pair.
    pub(super) fn set_identity(&self, identity: Identity) {
        self.push(Change::Identity(identity.clone()));
        self.identity.replace(Some(identity));
    }

    /// For the event loop.
    pub(super) fn push(&self, change: Change) {
        self.changes.borrow_mut().push(change);
        self.changed.notify_one();
    }
}
