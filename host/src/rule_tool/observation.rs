//! The observation that an exchange has started: one poll for each HTTP response that is left on the command line.

use super::error::ToolError;
use super::exchange_event::Event;
use contract::{Context, Failure, HttpRequest, Outcome, Watch};
use gateway::request::reply::{failed, to_coap};
use runtime::{ObserverError, Revision};

/// Polls once per outcome. Each change of the watch's topic becomes a notification.
pub(super) fn observe(
    revision: &Revision,
    context: &Context,
    watch: Watch,
    outcomes: impl Iterator<Item = Outcome>,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    let topics = [watch.topic];
    let mut state = watch.state;
    for outcome in outcomes {
        let request = match revision.poll(&state, &topics) {
            Err(ObserverError::Failed(failure)) => return ended(failure, events),
            request => request?,
        };
        make_poll(revision, request, state.len(), &outcome, events)?;
        // Without an HTTP response a gateway polls again.
        let Ok(response) = outcome else { continue };
        let progress = match revision.polled(&state, &topics, &response) {
            Err(ObserverError::Failed(failure)) => return ended(failure, events),
            progress => progress?,
        };
        state = progress.state;
        let lost = progress.lost.contains(&topics[0]);
        for change in progress.changes {
            if change.topic != topics[0] {
                continue;
            }
            let message = match revision.notify(context, &change) {
                Err(ObserverError::Failed(failure)) => return ended(failure, events),
                message => message?,
            };
            events.push(Event::Response {
                message: to_coap(message)?,
                session: None,
                watch: None,
            });
        }
        if lost {
            events.push(Event::Lost);
            return Ok(());
        }
    }
    Ok(())
}

/// A poll that the gateway would make, and its outcome.
pub(super) fn make_poll(
    revision: &Revision,
    request: HttpRequest,
    state: usize,
    outcome: &Outcome,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    if let Err(denied) = revision.check_call(request.clone()) {
        return Err(ToolError::Contract(format!("its poll is denied: {denied}")));
    }
    events.push(Event::Call {
        request,
        delivery: None,
        state,
    });
    events.push(Event::Outcome(outcome.clone()));
    Ok(())
}

/// The last notification of an observation that ends with a failure.
pub(super) fn ended(failure: Failure, events: &mut Vec<Event>) -> Result<(), ToolError> {
    events.push(Event::Response {
        message: failed(failure)?,
        session: None,
        watch: None,
    });
    Ok(())
}
