//! A device that registers again with the token of its observation (RFC 7641 §4.1), because it has got nothing for long
//! or wants to be sure. Its observation continues, with everything that is queued for it.

use super::observations::Observations;
use super::registration::Prepared;
use coap::{ObservationId, code};

/// Whether an observation continues with this request: it has the same poll and topic, and something to keep.
pub(super) fn can_renew(
    observations: &Observations,
    id: ObservationId,
    prepared: &Prepared,
) -> bool {
    observations.observers.get(id).is_some_and(|observer| {
        let is_same = observer.poll() == prepared.poll()
            && observer.topic() == prepared.request().watch.topic;
        is_same && (observer.last().is_some() || !observer.is_idle())
    })
}

/// The last message that the device got, unless it ends the observation.
pub(super) fn last_message(
    observations: &Observations,
    id: ObservationId,
) -> Option<coap::Message> {
    let observer = observations.observers.get(id)?;
    let message = observer.message(observer.last()?).ok()?;
    (code::class(message.code) == 2).then_some(message)
}
