//! Changes of devices: on the disk first, then in effect.

use std::net::SocketAddr;
use std::sync::Arc;

use store::database::{Batch, Space};

use super::change::Change;
use super::credential::{Credential, Method};
use super::enrolled::Inner;
use super::name;
use super::row::Row;

/// Devices of a gateway: as many as it keeps sessions. A device takes less than 200 bytes here and on the disk.
pub(super) const MOST: usize = 10_000;

/// A device with a new secret.
pub(super) struct Fresh {
    pub(super) name: Arc<str>,
    pub(super) credential: Credential,
}

impl Inner {
    /// Enrols a device with a new secret.
    ///
    /// # Errors
    /// A sentence with the remedy; nothing has changed.
    pub(super) async fn add(&self, name: &str, method: Method) -> Result<Fresh, String> {
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
        // Of a device of this name that was removed while it logged in.
        self.sessions.forget_device(name);
        let number = self.next_number.get();
        let credential = Credential::fresh(method, self.free_kid(number, name));
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
        let method = method.unwrap_or(before.method());
        let credential = Credential::fresh(method, self.free_kid(number, name));
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
            self.revoke(name, &before);
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
        if let Some(before) = before {
            self.revoke(name.into(), before);
        }
        let name = self.insert(number, row, 0);
        Ok(Fresh { name, credential })
    }

    fn revoke(&self, name: Arc<str>, before: &Credential) {
        let kid = match before {
            Credential::Psk(_) => {
                self.keys.remove(&name);
                None
            }
            Credential::Oscore(keys) => keys.identifier(),
        };
        self.push(Change::Revoked { name, kid });
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), String> {
        let committed = self.database.commit(batch).await;
        committed
            .map_err(|error| format!("nothing has changed, the store did not take it: {error}"))
    }
}
