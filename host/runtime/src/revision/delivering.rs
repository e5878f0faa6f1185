//! Deliveries: the check before one is made, and the function of `wit/outbox.wit`.

use super::Revision;
use super::call_policy::CallDenied;
use crate::call::Trap;
use crate::call::sensitive_inputs::{SensitiveInputs, device_inputs};
use contract::bindings::{Context, Failure, HttpRequest, Message};
use contract::{Call, DeliveryId};

impl Revision {
    /// Whether the rule's deliveries can wait for their homeserver: whether it exports the outbox interface.
    #[must_use]
    pub fn deliveries_can_wait(&self) -> bool {
        self.exports.accepted.is_some()
    }

    /// The call that makes a delivery: its request with the id as the last segment of the path. It is checked like any
    /// other call.
    ///
    /// # Errors
    /// [`CallDenied`]; for the rule, `denied`.
    pub fn check_delivery(
        &self,
        mut request: HttpRequest,
        id: DeliveryId,
    ) -> Result<Call, CallDenied> {
        request.path.push(id.to_string());
        self.check_call(request)
    }

    /// `outbox.accepted` in a fresh instance; none if the rule does not export it.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn accepted(
        &self,
        context: &Context,
        state: &[u8],
        id: &str,
    ) -> Result<Option<Result<Message, Failure>>, Trap> {
        let Some(accepted) = &self.exports.accepted else {
            return Ok(None);
        };
        let inputs = SensitiveInputs {
            device: device_inputs(context, None)
                .into_iter()
                .chain([state])
                .collect(),
            http_body: &[],
        };
        let params = (self.settings.as_slice(), context, state, id);
        self.call(accepted, params, &inputs).map(Some)
    }
}
