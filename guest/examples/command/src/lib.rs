//! A rule for actuators: `GET <mount>/<room>/<device>` answers the last command for `<device>` in the room's messages, and with
//! Observe pushes each one that follows. People write `!lamp on`; the lamp gets `{"on": true}`. [`command`] tells what a
//! command is.
//!
//! A lamp that observes before anybody has commanded it gets an empty map: there is nothing to do yet.
//!
//! Whoever may write in the room commands its devices; that is for the room's power levels to decide.
#![deny(missing_docs)]

pub mod command;

use comatrix_sdk::rule::*;

/// The rule.
pub static RULE: Rule =
    Rule::new(&[Route::get("{room}/{device}", get).watch(&SelectedMessages(command_in))]);

comatrix_sdk::export!(RULE, observer);

fn get(request: &Request) -> Outcome {
    if !command::is_name(request.capture("device")) {
        return Err(ErrorResponse::bad_request(
            "Uri-Path: a device's name has letters, digits and - . _ only, at most 64",
        ));
    }
    request.latest()
}

fn command_in(topic: &Topic, message: &TextMessage) -> Option<Value> {
    command::parse(message.body, topic.capture("device"))
}
