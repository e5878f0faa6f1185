//! A record that waits, as an attempt needs it.

use contract::Peer;
use homeserver::Caller;
use outbox::{RecordNumber, Retry};
use store::database::Space;

use super::deliveries::Inner;
use super::row::{self, Content, Header};
use crate::request::Snapshot;

impl Inner {
    /// Reads a record that waits. One that cannot be read is kept and said; it is attempted again after a pause.
    pub(super) async fn load(&self, number: RecordNumber) -> Option<(Header, Content)> {
        let row = match self.database.read(Space::Waiting, number).await {
            Ok(Some(row)) => row,
            Ok(None) => {
                // It is no longer there: it has ended, and its attempt was a second one.
                self.outbox.borrow_mut().withdraw(number);
                return None;
            }
            Err(error) => {
                tracing::warn!(
                    "delivery {number} cannot be read: {error}; it is tried again later"
                );
                self.retry(number, Retry::Busy);
                return None;
            }
        };
        let mut rest = row.as_slice();
        let read = row::read_header(&mut rest)
            .and_then(|header| row::read(&mut rest).map(|content| (header, content)));
        read.inspect_err(|error| {
            tracing::error!(
                "delivery {number} cannot be read: {error}; it is kept: `comatrix-gateway outbox drop` removes it"
            );
            self.retry(number, Retry::Busy);
        })
        .ok()
    }

    /// The device of a delivery, as it was when the gateway took it over.
    pub(super) fn caller(&self, snapshot: &Snapshot, header: &Header, content: &Content) -> Caller {
        let mut peer = Peer::unauthenticated((header.ip, 0).into());
        peer.authenticated = header.principal.is_some();
        peer.principal = header.principal.as_deref().map(Into::into);
        let origin = self.origin(&header.key());
        let newer = || self.newer_tokens.used(origin.account);
        let token = content
            .token
            .as_ref()
            .map(|token| newer().unwrap_or_else(|| token.0.clone()));
        let homeserver = content.call.origin();
        Caller {
            owner: origin.owner,
            peer,
            is_proven: header.is_proven,
            // Its own token goes to the homeserver that it requested.
            requested: token
                .as_ref()
                .and_then(|_| snapshot.upstreams.find(homeserver).ok()),
            token,
            session: None,
        }
    }
}
