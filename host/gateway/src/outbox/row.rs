//! Records as the store has them: values in the format of `postcard`, without names of fields, one after the other. The
//! first is a header that is enough to restore the record. A change of these types, or of the types in them, needs
//! another version: the order of the fields is the format.

use std::net::IpAddr;

use bytes::Bytes;
use contract::{DeliveryId, StoredContext};
use homeserver::PreparedCall;
use outbox::{Accepted, State};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::database::Space;

use super::key::Key;
use crate::stored_token::StoredToken;

/// The version of this format. A reader refuses a later one.
const VERSION: u8 = 1;

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    /// It ends early, or has other parts.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A later gateway has written it.
    #[error("it has version {0}; this gateway reads {VERSION}")]
    Version(u8),
}

/// What identifies a delivery, and what orders it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    version: u8,
    id: u128,
    message: u128,
    /// The homeserver.
    pub(super) origin: String,
    /// Part of the digest of the access token that the device presented; none: the configured one.
    pub(super) account: Option<u64>,
    pub(super) lane: String,
    pub(super) transaction: String,
    pub(super) ip: IpAddr,
    pub(super) principal: Option<String>,
    /// Unix time of the acceptance.
    pub(super) at: Option<u64>,
    /// Whether it was attempted before it was stored.
    pub(super) attempted: bool,
    /// Whether its device had proven its address, or was authenticated.
    pub(super) is_proven: bool,
    /// Unix time at which it was revived, after it had failed.
    pub(super) revived_at: Option<u64>,
}

/// What the attempts need, and the rule afterwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) rule: String,
    pub(super) context: StoredContext,
    pub(super) state: Bytes,
    pub(super) call: PreparedCall,
    pub(super) token: Option<StoredToken>,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ending {
    /// With the rule's reply: a CBOR map, such as `{"event_id"}`; empty if the rule did not understand the outcome.
    Sent { details: Bytes },
    /// With the reason.
    Failed { reason: String },
}

/// The end of a delivery, and its Unix time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) at: Option<u64>,
    pub(super) ending: Ending,
}

impl Header {
    /// Of a delivery with these names, which came with this datagram.
    pub(super) fn new(
        id: DeliveryId,
        message: [u8; 16],
        key: &Key<'_>,
        at: Option<u64>,
        attempted: bool,
    ) -> Self {
        Self {
            version: VERSION,
            id: u128::from_be_bytes(*id.as_bytes()),
            message: u128::from_be_bytes(message),
            origin: key.origin.to_owned(),
            account: key.account,
            lane: key.lane.to_owned(),
            transaction: key.transaction.to_owned(),
            ip: key.ip,
            principal: key.principal.map(str::to_owned),
            at,
            attempted,
            is_proven: key.is_proven,
            revived_at: None,
        }
    }

    /// Its names.
    pub(super) fn key(&self) -> Key<'_> {
        Key {
            origin: &self.origin,
            account: self.account,
            lane: &self.lane,
            transaction: &self.transaction,
            ip: self.ip,
            principal: self.principal.as_deref(),
            is_proven: self.is_proven,
        }
    }

    pub(super) fn id(&self) -> DeliveryId {
        DeliveryId::from_bytes(self.id.to_be_bytes())
    }

    /// The record in the outbox, of so many bytes.
    pub(super) fn accepted(&self, origin: outbox::Origin, name: u64, bytes: usize) -> Accepted {
        Accepted {
            id: self.id(),
            message: self.message.to_be_bytes(),
            name,
            origin,
            bytes,
            at: self.at,
            revived_at: self.revived_at,
            attempted: self.attempted,
            is_proven: self.is_proven,
        }
    }
}

/// All parts of a row.
pub(super) struct Whole {
    pub(super) header: Header,
    /// Of a record that has ended.
    pub(super) end: Option<End>,
    /// None of a record that was sent.
    pub(super) content: Option<Content>,
}

impl Whole {
    /// Reads a row of this space.
    ///
    /// # Errors
    /// [`RowError`].
    pub(super) fn read(space: Space, row: &[u8]) -> Result<Self, RowError> {
        let mut rest = row;
        let header = read_header(&mut rest)?;
        let end: Option<End> = match space {
            Space::Ended => Some(read(&mut rest)?),
            _ => None,
        };
        let is_sent = end
            .as_ref()
            .is_some_and(|end| end.ending.state() == State::Sent);
        let content = match is_sent {
            true => None,
            false => Some(read(&mut rest)?),
        };
        Ok(Self {
            header,
            end,
            content,
        })
    }
}

impl Ending {
    pub(super) fn state(&self) -> State {
        match self {
            Self::Sent { .. } => State::Sent,
            Self::Failed { .. } => State::Failed,
        }
    }
}

/// A record that waits.
pub(super) fn waiting(header: &Header, content: &Content) -> Vec<u8> {
    let mut row = Vec::new();
    write(&mut row, header);
    write(&mut row, content);
    row
}

/// A record that has ended. A failed one keeps its content: the operator can try again.
pub(super) fn ended(header: &Header, end: &End, content: Option<&Content>) -> Vec<u8> {
    let mut row = Vec::new();
    write(&mut row, header);
    write(&mut row, end);
    if let Some(content) = content {
        write(&mut row, content);
    }
    row
}

/// The header of any record; the rest of the row stays.
///
/// # Errors
/// [`RowError`].
pub(super) fn read_header(row: &mut &[u8]) -> Result<Header, RowError> {
    match row.first() {
        Some(&VERSION) | None => read(row),
        Some(later) => Err(RowError::Version(*later)),
    }
}

/// The next part of a row, after its header.
///
/// # Errors
/// [`RowError`].
pub(super) fn read<T: DeserializeOwned>(row: &mut &[u8]) -> Result<T, RowError> {
    let read = postcard::take_from_bytes(row);
    let (value, rest) = read.map_err(|error| RowError::Damaged(error.to_string()))?;
    *row = rest;
    Ok(value)
}

fn write(row: &mut Vec<u8>, value: &impl Serialize) {
    let before = std::mem::take(row);
    // Memory takes every byte, and the lengths of all lists are known.
    *row = postcard::to_extend(value, before)
        .unwrap_or_else(|error| unreachable!("a record cannot be written: {error}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let key = Key {
            origin: "http://h/",
            account: Some(1),
            lane: "!r",
            transaction: "7",
            ip: IpAddr::from([192, 0, 2, 1]),
            principal: None,
            is_proven: true,
        };
        let id = DeliveryId::from_bytes([0; 16]);
        Header::new(id, [0; 16], &key, Some(1_800_000_000), true)
    }

    /// A store of this gateway's users has such bytes: other ones need another version.
    #[test]
    fn a_header_has_the_bytes_of_its_version() {
        let mut row = Vec::new();
        write(&mut row, &header());
        let names = b"\x01\x00\x00\x09http://h/\x01\x01\x02!r\x017\x00\xc0\x00\x02\x01\x00";
        let rest = b"\x01\x80\xa4\xa7\xda\x06\x01\x01\x00";
        assert_eq!(row, [&names[..], &rest[..]].concat());
        assert_eq!(read_header(&mut row.as_slice()).unwrap(), header());
    }

    #[test]
    fn a_header_of_a_later_version_is_refused_by_its_number() {
        let mut row = Vec::new();
        write(&mut row, &header());
        row[0] = 2;
        let error = read_header(&mut row.as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "it has version 2; this gateway reads 1");
    }

    #[test]
    fn a_row_that_ends_early_is_damaged_and_nothing_panics() {
        let mut row = Vec::new();
        write(&mut row, &header());
        for length in 0..row.len() {
            assert!(read_header(&mut &row[..length]).is_err(), "{length}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_record_or_an_error(mut row: Vec<u8>, is_current: bool) {
            if let (true, Some(version)) = (is_current, row.first_mut()) {
                *version = VERSION;
            }
            let _ = Whole::read(Space::Waiting, &row);
            let _ = Whole::read(Space::Ended, &row);
        }

        #[test]
        fn a_header_with_one_wrong_byte_is_read_or_refused(place: usize, byte: u8) {
            let mut row = Vec::new();
            write(&mut row, &header());
            let place = place % row.len();
            row[place] = byte;
            let _ = read_header(&mut row.as_slice());
        }
    }
}
