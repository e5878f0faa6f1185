//! After the reply of a case that starts an observation: polls, their changes, and the notifications to the
//! case's device.

use serde_json::Value as Json;

use super::compare::{failure_response, same, same_call, same_message};
use super::fields::{bytes, response, string, strings};
use super::observer::{Fault, Observer};
use crate::bindings::{Context, Failure, Watch};

/// Runs the polls one after the other, each with the state that the one before it has left.
pub(super) fn run(
    polls: &[Json],
    observer: &mut dyn Observer,
    context: &Context,
    watch: Option<Watch>,
) -> Result<(), String> {
    let Some(watch) = watch else {
        return match polls {
            [] => Ok(()),
            _ => Err("observation: the reply starts none".to_owned()),
        };
    };
    let mut state = watch.state;
    for (index, expected) in polls.iter().enumerate() {
        let differs = |what: String| format!("observation {index}: {what}");
        state = poll(expected, observer, context, &watch.topic, state).map_err(differs)?;
    }
    Ok(())
}

fn poll(
    expected: &Json,
    observer: &mut dyn Observer,
    context: &Context,
    topic: &str,
    state: Vec<u8>,
) -> Result<Vec<u8>, String> {
    let state = bytes(expected, "state").unwrap_or(state);
    let topics = match &expected["topics"] {
        Json::Null => vec![topic.to_owned()],
        topics => strings(topics),
    };
    let request = match observer.poll(&state, &topics) {
        Ok(request) => request,
        Err(Fault::Failed(failure)) if expected["request"].is_null() => {
            return failed(expected, failure, state);
        }
        Err(Fault::Failed(failure)) => return Err(format!("no request, but {failure:?}")),
        Err(Fault::Broken(fault)) => return Err(fault),
    };
    same_call(&expected["request"], &request)?;
    let response = response(&expected["answer"]).ok_or("it has no `answer` with a `status`")?;
    let progress = match observer.polled(&state, &topics, &response) {
        Ok(progress) => progress,
        Err(Fault::Failed(failure)) => return failed(expected, failure, state),
        Err(Fault::Broken(fault)) => return Err(fault),
    };
    let changes = progress.changes.iter();
    let wanted = expected["changes"].as_array().into_iter().flatten();
    same(
        "changes",
        wanted
            .map(|change| (string(&change["topic"]), bytes(change, "payload")))
            .collect::<Vec<_>>(),
        changes
            .map(|change| (change.topic.clone(), Some(change.payload.clone())))
            .collect(),
    )?;
    same("lost", strings(&expected["lost"]), progress.lost)?;
    let mut first = expected["missed"].as_u64().map(|missed| {
        let mut context = context.clone();
        context
            .facts
            .push(("missed".to_owned(), missed.to_string()));
        context
    });
    let mut notifications = expected["notifications"].as_array().into_iter().flatten();
    for change in progress
        .changes
        .iter()
        .filter(|change| change.topic == topic)
    {
        let context = first.take().unwrap_or_else(|| context.clone());
        let notification = match observer.notify(&context, change) {
            Ok(message) => message,
            Err(Fault::Failed(failure)) => failure_response(failure),
            Err(Fault::Broken(fault)) => return Err(fault),
        };
        let expected = notifications
            .next()
            .ok_or_else(|| format!("one more notification: {notification:?}"))?;
        same_message(expected, notification)?;
    }
    match notifications.next() {
        Some(missing) => Err(format!("notification {missing} is missing")),
        None => Ok(progress.state),
    }
}

fn failed(expected: &Json, failure: Failure, state: Vec<u8>) -> Result<Vec<u8>, String> {
    same_message(&expected["failure"], failure_response(failure))?;
    Ok(state)
}
