//! Who makes the calls and deliveries of an exchange: the gateway, or a test of the rule.

use super::progress::{Action, ExchangeError};
use crate::revision::call_input::{CallEnd, CallInput};
use crate::revision::call_policy::CallDenied;
use contract::{Call, Context, DeliveryId, Outcome, Sender, Upstream};

/// Makes the calls and deliveries of an exchange.
pub trait Egress {
    /// Ends the exchange before the rule has replied.
    type Error: From<ExchangeError>;

    /// The rule asks for a call or a delivery, which it may make or not.
    fn requested(&mut self, _action: &Action) {}

    /// Makes a call that the rule may make.
    ///
    /// # Errors
    /// The exchange ends with them; a call without an HTTP response is an [`Outcome`] instead.
    fn call(&mut self, call: Call) -> impl Future<Output = Result<Outcome, Self::Error>>;

    /// The device of the exchange, for the ids of its deliveries.
    fn sender(&self) -> Sender;

    /// The origin (scheme, host and port) of the homeserver that an upstream means now, for the same; empty if it means
    /// none: then the call of the delivery is denied.
    fn origin(&self, upstream: &Upstream) -> &str;

    /// Makes a delivery that the rule may make, or stores it to make it later.
    ///
    /// # Errors
    /// The exchange ends with them; a call without an HTTP response is an [`Outcome`] instead.
    fn deliver(
        &mut self,
        delivery: CheckedDelivery<'_>,
    ) -> impl Future<Output = Result<Delivered, Self::Error>>;

    /// The rule may not make the call or the delivery. The rule learns it from the outcome `denied`.
    ///
    /// # Errors
    /// The exchange ends with them.
    fn deny(&mut self, denied: CallDenied) -> Result<Outcome, Self::Error>;

    /// `context.now` of the rule's next call.
    fn now(&self) -> Option<u64>;

    /// The component was called again, with this input.
    fn resumed(&mut self, _input: &CallInput<'_>, _end: CallEnd<'_>) {}
}

/// A delivery that the rule may make.
pub struct CheckedDelivery<'a> {
    /// The last segment of the call's path. A repetition of the same message has the same.
    pub id: DeliveryId,
    /// Orders it among others to the same homeserver; 1 to [`MAX_NAME`](contract::delivery::MAX_NAME) bytes.
    pub lane: &'a str,
    /// The number that the device or the gateway has given the message; bounded like the lane.
    pub transaction: &'a str,
    /// The call that makes it.
    pub call: Call,
    /// Of the exchange, for [`Exchange::resumed`](super::Exchange::resumed).
    pub context: &'a Context,
    /// For the same. It has no secret, and at most [`RuleLimits::state`](crate::RuleLimits::state) bytes.
    pub state: &'a [u8],
    /// Whether the rule can respond to [`Delivered::Accepted`]; else the call must be made now.
    pub can_wait: bool,
}

/// The state of a delivery after [`Egress::deliver`].
pub enum Delivered {
    /// Its call has been made.
    Outcome(Outcome),
    /// It is stored and will be made; the device can ask for it by this id.
    Accepted(String),
}
