//! After the reply of a case that starts an observation: polls, their changes, and the notifications to the
//! case's device.

use serde_json::Value as Json;

use super::compare::{failure_response, same, same_call, same_message};
use super::fields::{bytes, response, string, strings};
use super::rule::Rule;
use crate::bindings::{Context, Failure, Watch};

/// Without an observer there is nothing to compare.
const NO_OBSERVER: &str =
    "it starts an observation, but exports no observer (export!(RULE, observer))";

/// Runs the polls one after the other, each with the state that the one before it has left.
pub(super) fn run(
    polls: &[Json],
    rule: &mut dyn Rule,
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
        state = poll(expected, rule, context, &watch.topic, state).map_err(differs)?;
    }
    Ok(())
}

fn poll(
    expected: &Json,
    rule: &mut dyn Rule,
    context: &Context,
    topic: &str,
    state: Vec<u8>,
) -> Result<Vec<u8>, String> {
    let state = bytes(expected, "state").unwrap_or(state);
    let topics = match &expected["topics"] {
        Json::Null => vec![topic.to_owned()],
        topics => strings(topics),
    };
    let request = match rule.poll(&state, &topics).ok_or(NO_OBSERVER)? {
        Ok(request) => request,
        Err(failure) if expected["request"].is_null() => return failed(expected, failure, state),
        Err(failure) => return Err(format!("no request, but {failure:?}")),
    };
    same_call(&expected["request"], &request)?;
    let response = response(&expected["answer"]).ok_or("it has no `answer` with a `status`")?;
    let progress = match rule.polled(&state, &topics, &response).ok_or(NO_OBSERVER)? {
        Ok(progress) => progress,
        Err(failure) => return failed(expected, failure, state),
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
    let mut notifications = expected["notifications"].as_array().into_iter().flatten();
    for change in progress
        .changes
        .iter()
        .filter(|change| change.topic == topic)
    {
        let notification = rule.notify(context, change).ok_or(NO_OBSERVER)?;
        let expected = notifications
            .next()
            .ok_or_else(|| format!("one more notification: {notification:?}"))?;
        same_message(expected, notification.unwrap_or_else(failure_response))?;
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
