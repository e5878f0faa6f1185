//! The status of a delivery, for its device.

use bytes::Bytes;
use ciborium::Value;
use coap::option::content_format::{CBOR, JSON};
use coap::{Message, code, option};
use contract::{DeliveryId, Peer};
use outbox::State;
use store::database::{ReadError, Space};

use super::deliveries::Deliveries;
use super::row::{Ending, Whole};

/// The formats of the representation, the default first.
pub(crate) const FORMATS: [u16; 2] = [CBOR, JSON];

/// How far a delivery has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It waits.
    Queued,
    /// The homeserver has it. The rule's reply, a CBOR map.
    Sent(Bytes),
    /// It has failed, with this reason.
    Failed(String),
}

impl Deliveries {
    /// The delivery of a device whose id begins with `prefix`, and its status. None if the device has no such delivery:
    /// whether another one has it is no concern of its.
    ///
    /// # Errors
    /// [`ReadError`]: the device asks again.
    pub(crate) async fn status(
        &self,
        device: &Peer,
        prefix: &str,
    ) -> Result<Option<(DeliveryId, Status)>, ReadError> {
        let principal = device.principal.as_deref().filter(|_| device.authenticated);
        let device = self.0.names.of_device(principal, device.ip());
        let (number, id, state) = {
            let outbox = self.0.outbox.borrow();
            let Some((number, record)) = outbox.of_device(device, prefix) else {
                return Ok(None);
            };
            (number, record.id, record.state)
        };
        if state == State::Waiting {
            return Ok(Some((id, Status::Queued)));
        }
        let row = match self.0.unrecorded.row(number) {
            Some(row) => Some(row),
            None => self.0.database.read(Space::Ended, number).await?,
        };
        let end = row.and_then(|row| Whole::read(Space::Ended, &row).ok()?.end);
        Ok(end.map(|end| {
            let status = match end.ending {
                Ending::Sent { details } => Status::Sent(details),
                Ending::Failed { reason } => Status::Failed(reason),
            };
            (id, status)
        }))
    }

    /// Whether a delivery has ended, or is forgotten.
    pub(crate) fn has_ended(&self, id: DeliveryId) -> bool {
        !self.0.outbox.borrow().waits(id)
    }

    /// Deliveries that have ended since the last call.
    pub(crate) fn take_ended(&self) -> Vec<DeliveryId> {
        std::mem::take(&mut self.0.ended.borrow_mut())
    }
}

impl Status {
    /// The representation: a map with `state`, and `event_id` or `reason`. A status that does not change any more may
    /// be kept.
    pub(crate) fn message(&self, format: u16) -> Message {
        let text = |key: &str, value: &str| (Value::from(key), Value::from(value));
        let mut pairs = Vec::new();
        match self {
            Self::Queued => pairs.push(text("state", "queued")),
            Self::Sent(details) => {
                pairs.push(text("state", "sent"));
                let details = ciborium::from_reader(details.as_ref()).ok();
                let details: Option<Vec<(Value, Value)>> =
                    details.and_then(|value: Value| value.into_map().ok());
                pairs.extend(details.into_iter().flatten());
            }
            Self::Failed(reason) => {
                pairs.push(text("state", "failed"));
                pairs.push(text("reason", reason));
            }
        }
        let message = Message::new(code::CONTENT)
            .with_uint_option(option::CONTENT_FORMAT, format.into())
            .with_payload(encoded(&Value::Map(pairs), format));
        match self {
            Self::Queued => message.with_uint_option(option::MAX_AGE, 0),
            Self::Sent(_) | Self::Failed(_) => message,
        }
    }
}

fn encoded(value: &Value, format: u16) -> Vec<u8> {
    if format == JSON {
        // A map that is no JSON has bytes or other keys than text; there is none in a rule's reply.
        return serde_json::to_vec(value).unwrap_or_else(|_| b"{}".to_vec());
    }
    let mut bytes = Vec::new();
    if let Err(error) = ciborium::into_writer(value, &mut bytes) {
        unreachable!("a map cannot be written: {error}");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Status {
        Status::Sent(Bytes::from_static(b"\xa1\x68event_id\x62$x"))
    }

    #[test]
    fn a_status_is_a_small_map_in_the_format_asked_for() {
        for (status, format, payload) in [
            (Status::Queued, CBOR, &b"\xa1\x65state\x66queued"[..]),
            (Status::Queued, JSON, br#"{"state":"queued"}"#),
            (sent(), CBOR, b"\xa2\x65state\x64sent\x68event_id\x62$x"),
            (sent(), JSON, br#"{"state":"sent","event_id":"$x"}"#),
            (
                Status::Failed("M_FORBIDDEN".to_owned()),
                JSON,
                br#"{"state":"failed","reason":"M_FORBIDDEN"}"#,
            ),
        ] {
            let message = status.message(format);
            assert_eq!(message.payload, payload, "{status:?}");
            assert_eq!(
                message.uint_option(option::CONTENT_FORMAT),
                Some(format.into())
            );
        }
    }

    #[test]
    fn only_a_status_that_may_change_is_stale_at_once() {
        assert_eq!(
            Status::Queued.message(CBOR).uint_option(option::MAX_AGE),
            Some(0)
        );
        assert_eq!(sent().message(CBOR).option(option::MAX_AGE), None);
    }
}
