//! Sessions, in memory and in the store.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use contract::Peer;
use contract::clock::Clock;
use contract::escaping::escaped;
use contract::secret::AccessToken;
use futures_util::future::LocalBoxFuture;
use homeserver::{Homeserver, Login, Session, Upstreams};
use serde::{Deserialize, Serialize};
use store::database::{Batch, Database, ReadError, Records, Space};
use url::Url;

use super::row;
use super::table::{Kept, Table};

/// The sessions of a gateway. Its clones are the same ones.
#[derive(Clone)]
pub struct Sessions(Rc<Inner>);

struct Inner {
    table: RefCell<Table>,
    database: Database,
    clock: Clock,
    /// Times that devices were removed since the start.
    removals: Cell<u64>,
    opened: Cell<u64>,
    closed: Cell<u64>,
    refused: Cell<u64>,
}

/// A point in time before which no device was removed that logs in after it.
#[derive(Clone, Copy)]
pub(crate) struct Moment(u64);

/// Numbers for operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCounts {
    /// Sessions, and the bytes that they take.
    pub open: usize,
    /// The same in bytes.
    pub bytes: usize,
    /// Logins since the start.
    pub opened: u64,
    /// Logouts since the start.
    pub closed: u64,
    /// Sessions whose token the homeserver has refused, since the start.
    pub refused: u64,
}

/// A session for operators: without its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    /// Scheme, host and port of the homeserver.
    pub homeserver: String,
    /// The id of the user.
    pub user: String,
    /// The time of the login, in seconds since 1970; none if the clock was not set.
    pub opened: Option<u64>,
}

impl Table {
    /// Reads all sessions. One that cannot be read is logged: its device logs in again.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn read(records: &Records) -> Result<Self, ReadError> {
        let mut table = Self::default();
        records.scan(Space::Sessions, |number, bytes| {
            match row::decode(number, bytes) {
                Ok((principal, kept)) => table.restore(principal, kept),
                Err(error) => {
                    table.skip(number);
                    tracing::error!("session {number} in the store: {error}");
                }
            }
        })?;
        Ok(table)
    }
}

impl Sessions {
    /// Those of this table, whose records are in this database.
    pub(crate) fn new(table: Table, database: Database, clock: Clock) -> Self {
        Self(Rc::new(Inner {
            table: RefCell::new(table),
            database,
            clock,
            removals: Cell::default(),
            opened: Cell::default(),
            closed: Cell::default(),
            refused: Cell::default(),
        }))
    }

    /// The session that a request without an access token uses: that of the homeserver in its Proxy-Uri, or without one
    /// that of the device's last login at a homeserver that this gateway calls. None for a device that has not
    /// authenticated itself: an address alone identifies nobody.
    pub(crate) fn find(
        &self,
        device: &Peer,
        requested: Option<&Homeserver>,
        upstreams: &Upstreams,
    ) -> Option<Session> {
        let table = self.0.table.borrow();
        let newest = table.of(principal(device)?).iter().rev();
        let is_requested = |kept: &&Kept| requested.is_none_or(|one| one.origin() == &kept.origin);
        newest.filter(is_requested).find_map(|kept| {
            Some(Session {
                homeserver: upstreams.find(&kept.origin).ok()?,
                token: kept.token.clone(),
                user: kept.user.clone(),
            })
        })
    }

    /// The token of a device's session at a homeserver.
    pub(crate) fn token(&self, principal: &str, origin: &str) -> Option<AccessToken> {
        let table = self.0.table.borrow();
        let mut sessions = table.of(principal).iter();
        let kept = sessions.find(|kept| kept.origin.as_str() == origin)?;
        Some(kept.token.clone())
    }

    /// Now, for [`Self::open`].
    pub(crate) fn now(&self) -> Moment {
        Moment(self.0.removals.get())
    }

    /// Remembers the login of a device that has authenticated itself. Its request came at `since`: if a device was
    /// removed after that, it may be this one, and a later one of its name must not get its session; then the device
    /// logs in again. The future ends when the disk has it; without it, it ends with this gateway, as the log says.
    pub(crate) fn open(
        &self,
        device: &Peer,
        since: Moment,
        origin: &Url,
        login: &Login,
    ) -> Option<LocalBoxFuture<'static, ()>> {
        let Inner {
            table,
            database,
            clock,
            removals,
            opened,
            ..
        } = &*self.0;
        let principal: Arc<str> = principal(device)?.into();
        if removals.get() != since.0 {
            return None;
        }
        let number = table.borrow().next_number();
        let kept = Kept {
            number,
            origin: origin.clone(),
            user: login.user.as_str().into(),
            token: login.token.clone(),
            opened: clock.now(),
        };
        let row = row::encode(&principal, &kept);
        let name = escaped(&principal, MAX_NAME);
        let replaced = table.borrow_mut().open(&principal, kept);
        let replaced = replaced
            .inspect_err(|error| {
                tracing::warn!("device {name} has logged in, and has to send its token: {error}");
            })
            .ok()?;
        opened.update(|opened| opened + 1);
        let mut batch = Batch::new();
        replaced
            .into_iter()
            .for_each(|number| batch.delete(Space::Sessions, number));
        batch.put(Space::Sessions, number, row);
        let committed = database.commit(batch);
        Some(Box::pin(async move {
            if let Err(error) = committed.await {
                tracing::warn!(
                    "device {name} has logged in, and has to log in again after a restart of this gateway: {error}"
                );
            }
        }))
    }

    /// The device has logged out: forgets its session at this homeserver if it has this token.
    pub(crate) fn close(&self, device: &Peer, origin: &str, token: &AccessToken) {
        if principal(device).is_some_and(|name| self.forget(name, origin, token)) {
            self.0.closed.update(|closed| closed + 1);
        }
    }

    /// The homeserver has refused the token of this session of a device: forgets it.
    pub(crate) fn refuse(&self, device: &Peer, session: &Session) {
        if let Some(name) = principal(device) {
            let origin = session.homeserver.origin().as_str();
            self.refused(name, origin, &session.token);
        }
    }

    /// The homeserver has refused this token: forgets the session that has it. The device hears 4.01 and logs in again.
    pub(crate) fn refused(&self, principal: &str, origin: &str, token: &AccessToken) {
        if self.forget(principal, origin, token) {
            self.0.refused.update(|refused| refused + 1);
        }
    }

    fn forget(&self, principal: &str, origin: &str, token: &AccessToken) -> bool {
        let mut table = self.0.table.borrow_mut();
        let forgotten = table.forget(principal, origin, token);
        drop(table);
        let is_forgotten = forgotten.is_some();
        self.delete(forgotten);
        is_forgotten
    }

    /// Adds to a batch, which removes a device, that its sessions go with it. After it call [`Self::forget_device`].
    pub(crate) fn remove_with(&self, principal: &str, batch: &mut Batch) {
        let table = self.0.table.borrow();
        let sessions = table.of(principal).iter();
        sessions.for_each(|kept| batch.delete(Space::Sessions, kept.number));
    }

    /// A device is removed: forgets its sessions, also those of logins that are in flight now.
    pub(crate) fn forget_device(&self, principal: &str) {
        self.0.removals.update(|removals| removals + 1);
        let forgotten = self.0.table.borrow_mut().forget_device(principal);
        self.delete(forgotten);
    }

    /// Forgets the sessions of all devices that do not stay, also those of logins that are in flight now, and adds that
    /// to a batch. Returns how many.
    pub(crate) fn forget_others(&self, stays: impl Fn(&str) -> bool, batch: &mut Batch) -> usize {
        self.0.removals.update(|removals| removals + 1);
        let forgotten = self.0.table.borrow_mut().forget_others(stays);
        forgotten
            .iter()
            .for_each(|number| batch.delete(Space::Sessions, *number));
        forgotten.len()
    }

    /// Nobody waits for it. If the disk does not take it, the session is back after a restart, and the homeserver
    /// refuses its token then.
    fn delete(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut batch = Batch::new();
        let numbers = numbers.into_iter();
        numbers.for_each(|number| batch.delete(Space::Sessions, number));
        if !batch.is_empty() {
            // It is queued already.
            drop(self.0.database.commit_unsynced(batch));
        }
    }

    /// The sessions of a device, that of its last login last.
    #[must_use]
    pub fn of(&self, principal: &str) -> Vec<SessionLine> {
        let table = self.0.table.borrow();
        let sessions = table.of(principal).iter();
        let lines = sessions.map(|kept| SessionLine {
            homeserver: kept.origin.origin().ascii_serialization(),
            user: (*kept.user).to_owned(),
            opened: kept.opened,
        });
        lines.collect()
    }

    /// Numbers for operators.
    #[must_use]
    pub fn counts(&self) -> SessionCounts {
        let (open, bytes) = self.0.table.borrow().size();
        SessionCounts {
            open,
            bytes,
            opened: self.0.opened.get(),
            closed: self.0.closed.get(),
            refused: self.0.refused.get(),
        }
    }
}

/// Bytes of a name in a log line.
const MAX_NAME: usize = 64;

/// The name of a device that has authenticated itself.
fn principal(device: &Peer) -> Option<&str> {
    let name = device.principal.as_deref();
    name.filter(|_| device.authenticated)
}
