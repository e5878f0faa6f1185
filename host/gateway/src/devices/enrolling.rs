//! Changes of devices: on the disk first, then in effect.

use std::net::SocketAddr;
use std::sync::Arc;

use store::database::{Batch, Space};

use super::change::Change;
use super::credential::{Credential, GATEWAY_ID, Method, kid_of};
use super::edhoc_keys::EdhocKeys;
use super::enrolled::Inner;
use super::row::Row;
use super::{name, own_key};
use secure::edhoc::{Ccs, Credentials};

/// Devices of a gateway: as many as it keeps sessions. A device takes less than 200 bytes here and on the disk.
const MOST: usize = 10_000;

/// A device with a new secret, or a new public key.
pub(super) struct Fresh {
    pub(super) name: Arc<str>,
    pub(super) credential: Credential,
    /// Whether the gateway has made the credential of a device from its public key.
    pub(super) is_made: bool,
}

/// The error for a device whose key only its operator has.
const NO_KEY: &str =
    "the device has a key pair of its own: give its public key, or its CCS, with --edhoc";

impl Inner {
    /// Enrols a device with a new secret, or with this public key.
    ///
    /// # Errors
    /// A sentence with the remedy; nothing has changed.
    pub(super) async fn add(
        &self,
        name: &str,
        method: Method,
        public_key: Option<&str>,
    ) -> Result<Fresh, String> {
        name::check(name)?;
        let _turn = self.turn.lock().await;
        if self.table.borrow().contains_key(name) {
            return Err(format!(
                "a device {name} is enrolled; give it a new key with `comatrix-gateway devices rotate {name}`, or \
                 remove it first"
            ));
        }
        if self.table.borrow().len() >= MOST {
            return Err(format!(
                "{MOST} devices are enrolled, the most allowed; remove one first"
            ));
        }
        let number = self.next_number.get();
        let (credential, is_made) = match Credential::fresh(method, number) {
            Some(credential) => (credential, false),
            None => self.with_key(name, number, public_key.ok_or(NO_KEY)?)?,
        };
        let fresh = self.store(number, name, credential, is_made).await?;
        self.next_number.set(number + 1);
        Ok(fresh)
    }

    /// Gives a device a new secret, or this public key. The former one is void, and its sessions end.
    ///
    /// # Errors
    /// A sentence with the remedy; the former secret is in effect.
    pub(super) async fn rotate(
        &self,
        name: &str,
        public_key: Option<&str>,
    ) -> Result<Fresh, String> {
        let _turn = self.turn.lock().await;
        let (number, method) =
            self.find(name, |number, credential| (number, credential.method()))?;
        let (credential, is_made) = match (Credential::fresh(method, number), public_key) {
            (Some(credential), None) => (credential, false),
            (Some(_), Some(_)) => {
                return Err(format!(
                    "device {name} has no key pair; remove it first, and enrol it with --edhoc"
                ));
            }
            (None, public_key) => self.with_key(name, number, public_key.ok_or(NO_KEY)?)?,
        };
        self.store(number, name, credential, is_made).await
    }

    /// The credential of a device with a key pair, and whether the gateway has made it. Its `kid` is no other device's.
    fn with_key(
        &self,
        name: &str,
        number: u64,
        public_key: &str,
    ) -> Result<(Credential, bool), String> {
        let (ccs, is_made) =
            Ccs::enrolled(public_key, &kid_of(number)).map_err(|error| error.to_string())?;
        let owner = self.public_keys.by_kid(ccs.kid());
        let taken = match owner {
            Some((owner, _)) if *owner != *name => Some(format!("device {owner}")),
            None if ccs.kid() == [GATEWAY_ID] => Some("the gateway".to_owned()),
            _ => None,
        };
        match taken {
            None => Ok((Credential::Edhoc(EdhocKeys { ccs, context: None }), is_made)),
            Some(owner) if is_made => Err(format!(
                "the kid that the gateway would choose belongs to {owner}; give a CCS with another kid"
            )),
            Some(owner) => Err(format!(
                "the kid of this credential belongs to {owner}; give each device its own"
            )),
        }
    }

    /// Removes a device. Its sessions end.
    ///
    /// # Errors
    /// A sentence with the remedy; the device is still enrolled.
    pub(super) async fn remove(&self, name: &str) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let number = self.find(name, |number, _| number)?;
        let mut batch = Batch::new();
        batch.delete(Space::Devices, number);
        batch.delete(Space::Numbers, number);
        self.commit(batch).await?;
        self.revoke(name);
        Ok(())
    }

    /// The address of `coaps`, which is opened if it is not.
    ///
    /// # Errors
    /// A sentence: it is switched off, or cannot be opened.
    pub(super) fn open(&self) -> Result<SocketAddr, String> {
        match self.socket.open() {
            Ok(Some(address)) => Ok(address),
            Ok(None) => {
                Err("coaps is switched off; set [coaps] listen or --coaps to an address".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// What `of` takes of an enrolled device.
    ///
    /// # Errors
    /// There is none with this name.
    pub(super) fn find<T>(
        &self,
        name: &str,
        of: impl FnOnce(u64, &Credential) -> T,
    ) -> Result<T, String> {
        let table = self.table.borrow();
        let device = table.get(name).ok_or_else(|| {
            format!(
                "no device {} is enrolled; `comatrix-gateway devices list` shows all",
                contract::escaping::escaped(name, 64)
            )
        })?;
        Ok(of(device.number, &device.credential))
    }

    async fn store(
        &self,
        number: u64,
        name: &str,
        credential: Credential,
        is_made: bool,
    ) -> Result<Fresh, String> {
        let row = Row {
            name: name.to_owned(),
            enrolled: self.clock.now(),
            credential: credential.clone(),
        };
        let mut batch = Batch::new();
        batch.put(Space::Devices, number, row.encode());
        // A new secret begins its sequence numbers at 0.
        batch.delete(Space::Numbers, number);
        let needs_key = credential.method() == Method::Edhoc && self.identity.borrow().is_none();
        let identity = needs_key.then(|| own_key::make(&mut batch));
        self.commit(batch).await?;
        if let Some(identity) = identity {
            self.set_identity(identity);
        }
        self.revoke(name);
        let name = self.insert(number, row, 0);
        Ok(Fresh {
            name,
            credential,
            is_made,
        })
    }

    /// Takes a device out of effect, if there is one of this name. What it has now counts, and not what it had before
    /// the disk took its time: it may have agreed on another context.
    fn revoke(&self, name: &str) {
        self.keys.remove(name);
        self.public_keys.remove(name);
        let removed = self.table.borrow_mut().remove_entry(name);
        if let Some((name, device)) = removed {
            let kid = device.credential.context();
            self.push(Change::Revoked { name, kid });
        }
    }

    async fn commit(&self, batch: Batch) -> Result<(), String> {
        let committed = self.database.commit(batch).await;
        committed
            .map_err(|error| format!("nothing has changed, the store did not take it: {error}"))
    }
}
