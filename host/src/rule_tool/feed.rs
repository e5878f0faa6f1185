//! The feed that an exchange has started: one poll for each HTTP response that is left on the command line. The device
//! acknowledges each message at once.

use super::error::ToolError;
use super::exchange_event::Event;
use super::observation::{ended, make_poll};
use contract::{Context, Outcome};
use gateway::request::reply::to_coap;
use runtime::{ObserverError, Revision};

/// Polls once per outcome, from this state.
pub(super) fn feed(
    revision: &Revision,
    context: &Context,
    mut state: Vec<u8>,
    outcomes: impl Iterator<Item = Outcome>,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    for outcome in outcomes {
        let request = match revision.feed_poll(context, &state) {
            Err(ObserverError::Failed(failure)) => return ended(failure, events),
            request => request?,
        };
        make_poll(revision, request, state.len(), &outcome, events)?;
        // Without an HTTP response a gateway polls again.
        let Ok(response) = outcome else { continue };
        let progress = match revision.feed_polled(context, &state, &response) {
            Err(ObserverError::Failed(failure)) => return ended(failure, events),
            progress => progress?,
        };
        state = progress.state;
        if let Some(message) = progress.message {
            events.push(Event::Response {
                message: to_coap(message)?,
                session: None,
                watch: None,
            });
        }
    }
    Ok(())
}
