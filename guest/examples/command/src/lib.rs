//! A rule for actuators: `GET <mount>/<room>/<device>` has the last command for `<device>` in the room's messages,
//! and notifies observers of each one that follows. People write `!lamp on`; the lamp gets `{"on": true}`.
//! [`command`] describes the commands.
//!
//! A lamp that observes before its first command gets an empty map.
//!
//! Everyone who may write in the room commands its devices; the room's power levels decide who may.
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
