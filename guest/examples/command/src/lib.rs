//! A rule for actuators: `GET <mount>/<room>/<device>` answers the last command for `<device>` in the room's messages. People
//! write `!lamp on`; the lamp gets `{"on": true}`. [`command`] tells what a command is.
//!
//! Whoever may write in the room commands its devices; that is for the room's power levels to decide.
#![deny(missing_docs)]

pub mod command;
mod history;

use comatrix_sdk::rule::*;

use crate::history::{LIMIT, MAX_CALLS, Page};

/// The rule.
pub static RULE: Rule = Rule::new(&[Route::get("{room}/{device}", get)
    .observable()
    .calls(&[&MESSAGES])]);

comatrix_sdk::export!(RULE);

/// Keeps how often the homeserver has been asked.
static MESSAGES: Call<u64> = Call::get("rooms/{room}/messages", look);

fn get(request: &Request) -> Outcome {
    if !command::is_name(request.capture("device")) {
        return Err(Refusal::bad_request(
            "Uri-Path: a device's name has letters, digits and - . _ only, at most 64",
        ));
    }
    ask(&request.room()?, None, 1)
}

fn look(answer: &Answer, calls: u64) -> Outcome {
    let page = Page::read(answer, answer.capture("device"))?;
    match (page.command, page.end) {
        // An old command must not be taken for the present one.
        (Some(command), _) => Ok(Reply::content(command).max_age(0).into()),
        (None, Some(from)) if calls < MAX_CALLS => {
            ask(answer.argument("room"), Some(&from), calls + 1)
        }
        _ => Err(Refusal::not_found(
            "no command for this device among the room's last messages",
        )),
    }
}

fn ask(room: &str, from: Option<&str>, calls: u64) -> Outcome {
    let call = MESSAGES
        .to(&[room])
        .query("dir", "b")
        .query("limit", LIMIT)
        .query("filter", r#"{"types":["m.room.message"]}"#);
    match from {
        Some(from) => call.query("from", from).keep(calls),
        None => call.keep(calls),
    }
}
