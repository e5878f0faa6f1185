//! The steps of an exchange, for the output of `rule run`.

use contract::Outcome;
use contract::{HttpRequest, SessionChange};
use gateway::request::GatewayError;

/// A step of an exchange.
#[derive(Debug)]
pub(super) enum Event {
    /// The device's request, and the index of the link that it means.
    Request(coap::Message, Option<u16>),
    /// A call or a delivery that the rule asks for.
    Call {
        request: HttpRequest,
        /// Lane and transaction of a delivery. The gateway appends the transaction id to the request's path.
        delivery: Option<(String, String)>,
        /// Bytes of the state that the rule keeps.
        state: usize,
    },
    /// The outcome of that call.
    Outcome(Outcome),
    /// The rule's response.
    Response {
        message: coap::Message,
        session: Option<SessionChange>,
        /// The topic of an observation that it starts.
        watch: Option<String>,
    },
    /// Changes of the observation were lost, so it ends with 5.03.
    Lost,
    /// The gateway's error response, without a call of the rule.
    Error(GatewayError),
}
