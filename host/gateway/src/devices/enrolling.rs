//! Changes of devices: on the disk first, then in effect.

use std::net::SocketAddr;
use std::sync::Arc;

use store::database::{Batch, Space};

use super::change::Change;
use super::credential::{Credential, Method};
use super::enrolled::Inner;
use super::name;
use super::pinned::Pinned;
use super::row::Row;

/// Devices of a gateway: as many as it keeps sessions. A device takes less than 200 bytes here and on the disk.
const MOST: usize = 10_000;

/// A device with a new secret.
pub(super) struct Fresh {
    pub(super) name: Arc<str>,
    pub(super) credential: Credential,
}

fn no_file(name: &str) -> String {
    format!("the certificate comes from a file: name it, as in --certificate {name}.pem")
}

impl Inner {
    /// Enrols a device with a new secret.
    ///
    /// # Errors
    /// A sentence with the remedy; nothing has changed.
    pub(super) async fn add(&self, name: &str, method: Method) -> Result<Fresh, String> {
        let _turn = self.turn.lock().await;
        self.check_new(name)?;
        let number = self.next_number.get();
        let credential = Credential::fresh(method, number).ok_or_else(|| no_file(name))?;
        self.store_new(name, credential).await
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
            return self.store_new(name, credential).await;
        }
        let (number, before) =
            self.find(name, |number, credential| (number, credential.clone()))?;
        self.store(number, name, credential, Some(&before)).await
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

    async fn store_new(&self, name: &str, credential: Credential) -> Result<Fresh, String> {
        let number = self.next_number.get();
        let fresh = self.store(number, name, credential, None).await?;
        self.next_number.set(number + 1);
        Ok(fresh)
    }

    /// Gives a device a new secret, for another method if it has one. The former secret is void, and the sessions that
    /// it has secured end. Its logins stay: they belong to its name.
    ///
    /// # Errors
    /// A sentence with the remedy; the former secret is in effect.
    pub(super) async fn rotate(&self, name: &str, method: Option<Method>) -> Result<Fresh, String> {
        let _turn = self.turn.lock().await;
        let (number, before) =
            self.find(name, |number, credential| (number, credential.clone()))?;
        let fresh = Credential::fresh(method.unwrap_or(before.method()), number);
        let credential = fresh.ok_or_else(|| no_file(name))?;
        self.store(number, name, credential, Some(&before)).await
    }

    /// Removes a device. Its sessions end, and its logins are forgotten: they are not those of a later device of its
    /// name.
    ///
    /// # Errors
    /// A sentence with the remedy; the device is still enrolled.
    pub(super) async fn remove(&self, name: &str) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let (number, before) =
            self.find(name, |number, credential| (number, credential.clone()))?;
        let mut batch = Batch::new();
        batch.delete(Space::Devices, number);
        batch.delete(Space::Numbers, number);
        self.sessions.remove_with(name, &mut batch);
        self.commit(batch).await?;
        self.sessions.forget_device(name);
        let removed = self.table.borrow_mut().remove_entry(name);
        if let Some((name, _)) = removed {
            self.revoke(name, Some(&before));
        }
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
        before: Option<&Credential>,
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
        self.commit(batch).await?;
        self.keys.remove(name);
        // Also of a new device: an authority may have given its name to another one before.
        self.revoke(name.into(), before);
        let name = self.insert(number, row, 0);
        Ok(Fresh { name, credential })
    }

    fn revoke(&self, name: Arc<str>, before: Option<&Credential>) {
        let kid = match before {
            None | Some(Credential::Certificate(_)) => None,
            Some(Credential::Psk(_)) => {
                self.keys.remove(&name);
                None
            }
            Some(Credential::Oscore(keys)) => keys.identifier(),
        };
        self.push(Change::Revoked { name, kid });
    }

    async fn commit(&self, batch: Batch) -> Result<(), String> {
        let committed = self.database.commit(batch).await;
        committed
            .map_err(|error| format!("nothing has changed, the store did not take it: {error}"))
    }
}
