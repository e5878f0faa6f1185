//! What follows an answer that starts an observation, on the desk: a poll for each answer that is still there.

use super::error::ToolError;
use super::exchange::{Event, contract_violation};
use contract::{Context, Failure, HttpRequest, Outcome, Progress, Watch};
use gateway::request::reply::{failed, to_coap};
use runtime::Revision;

/// Polls with what `outcomes` holds; each change of the watch's topic becomes a notification.
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
        let request: HttpRequest = match observed(revision.poll(&state, &topics)?)? {
            Ok(request) => request,
            Err(failure) => return ended(failure, events),
        };
        if let Err(denied) = revision.check_call(request.clone()) {
            return Err(ToolError::Contract(format!("its poll is denied: {denied}")));
        }
        events.push(Event::Call {
            request,
            state: state.len(),
        });
        events.push(Event::Outcome(outcome.clone()));
        // Without an answer a gateway polls again.
        let Ok(answer) = outcome else { continue };
        let progress: Progress = match observed(revision.polled(&state, &topics, &answer)?)? {
            Ok(progress) => progress,
            Err(failure) => return ended(failure, events),
        };
        state = progress.state;
        let lost = progress.lost.contains(&topics[0]);
        for change in progress.changes {
            if change.topic != topics[0] {
                continue;
            }
            match observed(revision.notify(context, &change)?)? {
                Ok(message) => events.push(Event::Response {
                    message: to_coap(message).map_err(|error| contract_violation(&error))?,
                    session: None,
                    watch: None,
                }),
                Err(failure) => return ended(failure, events),
            }
        }
        if lost {
            events.push(Event::Lost);
            return Ok(());
        }
    }
    Ok(())
}

/// A rule that starts observations and exports no observer.
fn observed<T>(result: Option<Result<T, Failure>>) -> Result<Result<T, Failure>, ToolError> {
    result.ok_or_else(|| ToolError::Contract("it exports no observer".to_owned()))
}

fn ended(failure: Failure, events: &mut Vec<Event>) -> Result<(), ToolError> {
    events.push(Event::Response {
        message: failed(failure).map_err(|error| contract_violation(&error))?,
        session: None,
        watch: None,
    });
    Ok(())
}
