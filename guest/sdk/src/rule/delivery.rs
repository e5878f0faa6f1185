//! Messages that the gateway delivers, now or when the homeserver can be reached again (`types.delivery` in `wit`).

use std::fmt;

use super::call::{Call, Next, Outcome, PendingDelivery, Prepared, Resume};
use super::homeserver_response::HomeserverResponse;
use super::shape::{Credential, Shape};
use super::state::State;
use crate::error_response::ErrorResponse;
use crate::value::Value;

/// Bytes of a transaction.
const MAX_TRANSACTION: usize = 255;

/// A [`Call`] that the gateway makes once, also if the homeserver cannot be reached for days or the power fails. `S` is
/// the rule's state until the response is there. It is stored: put no secret into it.
///
/// If the homeserver responds soon, `resume` continues as after a call. Otherwise the gateway stores the message, and
/// the device gets 2.04 and `{"queued"}`, an id with which it can ask for the result. `resume` continues when the
/// homeserver has responded; the device can get its reply then.
pub struct Delivery<S: 'static>(Call<S>);

impl<S> Delivery<S> {
    /// PUT of `path` and one more segment, which is not written here: the transaction id, by which the homeserver
    /// recognises a message that comes again. The gateway makes it of the device, the message and the transaction. The
    /// rest is as for [`Call::get`].
    pub const fn put(
        path: &'static str,
        resume: fn(&HomeserverResponse<'_>, S) -> Outcome,
    ) -> Delivery<S> {
        let mut call = Call::put(path, resume);
        call.shape.delivers = true;
        Delivery(call)
    }

    /// As [`Call::credential`].
    pub const fn credential(mut self, credential: Credential) -> Delivery<S> {
        self.0.shape.credential = credential;
        self
    }

    /// As [`Call::named`].
    pub const fn named(mut self, name: &'static str) -> Delivery<S> {
        self.0.shape.named = Some(name);
        self
    }

    /// The delivery with the `{…}` of its path filled in, in their order.
    pub fn to(&'static self, arguments: &[&str]) -> PreparedDelivery<S>
    where
        S: State,
    {
        PreparedDelivery {
            prepared: Prepared::of(self, arguments),
            lane: None,
        }
    }
}

impl<S> fmt::Debug for Delivery<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<S: State> Resume for Delivery<S> {
    fn shape(&self) -> &Shape {
        self.0.shape()
    }

    fn resume(&self, response: &HomeserverResponse<'_>, state: Value) -> Outcome {
        self.0.resume(response, state)
    }
}

/// A [`Delivery`] about to be made.
#[derive(Debug)]
pub struct PreparedDelivery<S> {
    prepared: Prepared<S>,
    lane: Option<String>,
}

impl<S: State> PreparedDelivery<S> {
    /// Adds to the query.
    pub fn query(self, name: &str, value: &str) -> PreparedDelivery<S> {
        PreparedDelivery {
            prepared: self.prepared.query(name, value),
            ..self
        }
    }

    /// The body.
    pub fn json(self, body: &Value) -> Result<PreparedDelivery<S>, ErrorResponse> {
        Ok(PreparedDelivery {
            prepared: self.prepared.json(body)?,
            ..self
        })
    }

    /// Messages of one lane arrive in the order in which they came, 1 to 255 bytes. By default it is the id of the
    /// room in the path's `{room}`, else the path as the rule has written it.
    pub fn lane(self, lane: &str) -> PreparedDelivery<S> {
        PreparedDelivery {
            lane: Some(lane.to_owned()),
            ..self
        }
    }

    /// Delivers the message, and stores `state` for the function that continues. It and the segments filled in may take
    /// 16 KiB; above that the device gets 4.13. The rest is as for [`deliver`](PreparedDelivery::deliver).
    pub fn deliver_with_state(self, transaction: &str, state: S) -> Outcome {
        let mut pending = self.prepared.pending_with(state);
        if !(1..=MAX_TRANSACTION).contains(&transaction.len()) {
            let error = "transaction: send one of 1 to 255 bytes";
            return Err(ErrorResponse::bad_request(error));
        }
        pending.delivery = Some(PendingDelivery {
            transaction: transaction.to_owned(),
            lane: self.lane,
        });
        Ok(Next::Call(pending))
    }
}

impl PreparedDelivery<()> {
    /// Delivers the message. `transaction` is the number that the device has given it, else
    /// [`flow_id`](super::Exchange::flow_id): the same message with the same transaction is in the room once. It has 1
    /// to 255 bytes; otherwise the device gets 4.00.
    pub fn deliver(self, transaction: &str) -> Outcome {
        self.deliver_with_state(transaction, ())
    }
}
