//! Changes of devices: on the disk first, then in effect.

use std::net::SocketAddr;
use std::sync::Arc;

use store::database::{Batch, Space};

use super::change::Change;
use super::credential::{Credential, GATEWAY_ID, Method, kid_of};
use super::edhoc_keys::EdhocKeys;
use super::enrolled::Inner;
use super::numbers::Numbers;
use super::pinned::Pinned;
use super::row::Row;
use super::{name, own_key};
use secure::edhoc::{Ccs, Credentials};

/// Devices of a gateway: as many as it keeps sessions, and as many again with security contexts. With all of them in
/// use the gateway takes 118 MB, of which 78 are sessions.
pub(super) const MOST: usize = 20_000;

/// A device with a new secret, or a new public key.
pub(super) struct Fresh {
    pub(super) name: Arc<str>,
    pub(super) credential: Credential,
    /// Whether the gateway has made the credential of a device from its public key.
    pub(super) is_made: bool,
}

fn no_file(name: &str) -> String {
    format!("the certificate comes from a file: name it, as in --certificate {name}.pem")
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
        let _turn = self.turn.lock().await;
        self.check_new(name)?;
        let number = self.next_number.get();
        let (credential, is_made) = self.credential(name, number, method, public_key)?;
        self.store_new(name, credential, is_made).await
    }

    /// Enrols a device with a certificate, or gives an enrolled one another certificate.
    ///
    /// # Errors
    /// A sentence with the remedy; nothing has changed.
    pub(super) async fn pin(&self, name: &str, file: &[u8], is_new: bool) -> Result<Fresh, String> {
        let pinned = Pinned::of(file, self.clock)?;
        let _turn = self.turn.lock().await;
        let other = self.keys.pinned(&pinned.fingerprint);
        if let Some(other) = other.filter(|other| **other != *name) {
            return Err(format!(
                "this certificate is that of the device {other}; remove that device first, or make a certificate for \
                 each device"
            ));
        }
        let credential = Credential::Certificate(pinned);
        if is_new {
            self.check_new(name)?;
            return self.store_new(name, credential, false).await;
        }
        let number = self.find(name, |number, _| number)?;
        self.store(number, name, credential, false).await
    }

    /// Whether a device can be enrolled under this name.
    fn check_new(&self, name: &str) -> Result<(), String> {
        name::check(name)?;
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
        // Of a device of this name that was removed while it logged in.
        self.sessions.forget_device(name);
        Ok(())
    }

    async fn store_new(
        &self,
        name: &str,
        credential: Credential,
        is_made: bool,
    ) -> Result<Fresh, String> {
        let number = self.next_number.get();
        let fresh = self.store(number, name, credential, is_made).await?;
        self.next_number.set(number + 1);
        Ok(fresh)
    }

    /// What a device has from now on, and whether the gateway has made it from a public key.
    fn credential(
        &self,
        name: &str,
        number: u64,
        method: Method,
        public_key: Option<&str>,
    ) -> Result<(Credential, bool), String> {
        match Credential::fresh(method, self.free_kid(number, name)) {
            Some(credential) => Ok((credential, false)),
            None if method == Method::Certificate => Err(no_file(name)),
            None => self.with_key(name, number, public_key.ok_or(NO_KEY)?),
        }
    }

    /// Gives a device a new secret, or this public key, for another method if it has one. The former one is void, and
    /// the sessions that it has secured end. Its logins stay: they belong to its name.
    ///
    /// # Errors
    /// A sentence with the remedy; the former secret is in effect.
    pub(super) async fn rotate(
        &self,
        name: &str,
        method: Option<Method>,
        public_key: Option<&str>,
    ) -> Result<Fresh, String> {
        let _turn = self.turn.lock().await;
        let (number, before) =
            self.find(name, |number, credential| (number, credential.method()))?;
        let method = method.unwrap_or(before);
        let (credential, is_made) = self.credential(name, number, method, public_key)?;
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

    /// Removes a device. Its sessions end, and its logins are forgotten: they are not those of a later device of its
    /// name.
    ///
    /// # Errors
    /// A sentence with the remedy; the device is still enrolled.
    pub(super) async fn remove(&self, name: &str) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let number = self.find(name, |number, _| number)?;
        let mut batch = Batch::new();
        batch.delete(Space::Devices, number);
        batch.delete(Space::Numbers, number);
        self.sessions.remove_with(name, &mut batch);
        self.commit(batch).await?;
        self.sessions.forget_device(name);
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

    /// The same for devices with certificates.
    ///
    /// # Errors
    /// A sentence: also if the gateway has no certificate of its own.
    pub(super) fn open_for_certificates(&self) -> Result<SocketAddr, String> {
        if self.keys.serves_certificates() {
            return self.open();
        }
        Err(
            "the gateway has no certificate; set certificate and key in [coaps], and reload"
                .to_owned(),
        )
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
        let name = self.insert(number, row, Numbers::default());
        Ok(Fresh {
            name,
            credential,
            is_made,
        })
    }

    /// Takes a device out of effect. What it has now counts, and not what it had before the disk took its time: it may
    /// have agreed on another context. Also a new device: an authority may have given its name to another one before.
    fn revoke(&self, name: &str) {
        self.keys.remove(name);
        self.public_keys.remove(name);
        let removed = self.table.borrow_mut().remove(name);
        let kid = removed.and_then(|device| device.credential.context());
        let name = name.into();
        self.push(Change::Revoked { name, kid });
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), String> {
        let committed = self.database.commit(batch).await;
        committed
            .map_err(|error| format!("nothing has changed, the store did not take it: {error}"))
    }
}
