//! `/sent/<id>`: what became of a message that the gateway has taken over.

use super::admission::{check_accept, check_preconditions};
use super::error::GatewayError;
use super::response::{Response, SideEffect, StatusRequest};
use super::source::Request;
use crate::outbox::{Deliveries, FORMATS, Status};
use coap::{code, option};
use contract::Peer;

/// The first segment of its path.
const NAME: &str = "sent";

/// A request that passed the checks.
pub(super) struct SentRequest {
    device: Peer,
    prefix: String,
    format: u16,
    observes: bool,
}

/// The id in the path of such a request, unless the resource is switched off.
pub(super) fn id<'a>(path: &[&'a str], disabled: &[String]) -> Option<&'a str> {
    match path {
        [NAME, id] if !id.is_empty() && !disabled.iter().any(|name| name == NAME) => Some(id),
        _ => None,
    }
}

/// Checks a request for this id.
///
/// # Errors
/// 4.05, 4.06, 4.12.
pub(super) fn admit(request: &Request, id: &str) -> Result<SentRequest, GatewayError> {
    let message = &request.message;
    if message.code != code::GET {
        return Err(GatewayError::Method);
    }
    check_preconditions(message)?;
    check_accept(message, &FORMATS)?;
    let accept = message.uint_option(option::ACCEPT);
    let accepted = FORMATS
        .into_iter()
        .find(|format| Some(u32::from(*format)) == accept);
    Ok(SentRequest {
        device: request.peer.device.clone(),
        prefix: id.to_owned(),
        format: accepted.unwrap_or(FORMATS[0]),
        observes: request.observes,
    })
}

impl SentRequest {
    /// The response. It starts an observation if the status can change.
    ///
    /// # Errors
    /// 4.04: no message of this device has the id. 5.03: the store cannot be read now.
    pub(super) async fn respond(
        self,
        deliveries: Option<&Deliveries>,
    ) -> Result<Response, GatewayError> {
        let deliveries = deliveries.ok_or(GatewayError::NoSuchMessage)?;
        let found = deliveries.status(&self.device, &self.prefix).await;
        let found = found.map_err(|_| GatewayError::Busy)?;
        let (id, status) = found.ok_or(GatewayError::NoSuchMessage)?;
        let observes = self.observes && status == Status::Queued;
        Ok(Response {
            message: status.message(self.format),
            side_effect: observes.then(|| {
                SideEffect::StatusObservation(Box::new(StatusRequest {
                    id,
                    device: self.device,
                    format: self.format,
                }))
            }),
        })
    }
}
