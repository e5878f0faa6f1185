//! `/send`: send a message to a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>).

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpRequest, HttpResponse, Message};
use comatrix_sdk::message::reply;
use comatrix_sdk::settings::Settings;
use comatrix_sdk::{Value, code};

use crate::call::{call, then};
use crate::fields::{answer_format, json_body, payload, text};
use crate::homeserver_answer::text_member;
use crate::homeserver_error::success;
use crate::refusal::Refusal;
use crate::room::{self, MAX_IDENTIFIER, Room, resolve};
use crate::state::{damaged, format_only, recall, remember};
use crate::success::texts;
use crate::target::{Endpoint, agreed, mismatch};

const EVENT_TYPE: &str = "m.room.message";

/// Payload: the event's content, a map with the texts `msgtype` and `body`; it is passed on as it is. Room and
/// transaction come from Proxy-Uri or Uri-Path; without a transaction the exchange's own id is taken, which is the same
/// for retransmissions, so that the homeserver makes one event of them.
pub fn begin(
    settings: &dyn Settings,
    context: &Context,
    request: &Message,
) -> Result<Effect, Refusal> {
    let (proxied_room, proxied_txn) = match Endpoint::of(context) {
        None => (None, None),
        Some(Endpoint::Send {
            room,
            event_type: EVENT_TYPE,
            txn,
        }) => (Some(room), Some(txn)),
        Some(_) => return Err(mismatch("/9/<room>/m.room.message/<txn>")),
    };
    let uri_path = |index| context.captures.get(index).map(String::as_str);
    let Some(name) = agreed("room", proxied_room, uri_path(0))? else {
        return Err(Refusal::bad_request(
            "room: missing; send it as /send/<room> or in Proxy-Uri",
        ));
    };
    let txn = agreed("transaction", proxied_txn, uri_path(1))?.unwrap_or(&context.flow_id);
    let room = resolve(settings, name)?;
    let content = payload(request)?;
    text(&content, "msgtype")?;
    text(&content, "body")?;
    let content = json_body(&content)?;
    let format = answer_format(request);
    Ok(match room {
        Room::Id(room) => then(call_send(context, &room, txn, content), format_only(format)),
        Room::Alias(alias) => {
            let later = vec![Value::Text(txn.to_owned()), Value::Text(content)];
            let remedy =
                "by alias a message may take at most about 16,000 bytes; name the room by its id";
            then(
                room::lookup(context, &alias),
                remember(format, later, remedy)?,
            )
        }
    })
}

/// Answers `{"event_id"}` with 2.04.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, fields) = recall(state)?;
    let answer = success(context, format, outcome)?;
    match fields.as_slice() {
        [Value::Text(txn), Value::Text(content)] => {
            let room = room::looked_up(&answer)?;
            Ok(then(
                call_send(context, &room, txn, content.clone()),
                format_only(format),
            ))
        }
        [] => {
            let event_id = text_member(&answer.body, "event_id", MAX_IDENTIFIER)?;
            Ok(reply(texts(
                code::CHANGED,
                format,
                [("event_id", &event_id)],
            )))
        }
        _ => Err(damaged()),
    }
}

fn call_send(context: &Context, room: &str, txn: &str, content: String) -> HttpRequest {
    call(
        context,
        "any",
        "PUT",
        &["rooms", room, "send", EVENT_TYPE, txn],
        Some(content.into_bytes()),
    )
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{call, json_request, local, path, proxied, reply, success};

    use super::*;

    const CONTENT: &str = r#"{"msgtype":"m.text","body":"hello","n":1}"#;

    #[test]
    fn room_and_transaction_may_come_from_either_option() {
        let exchange = local(&["!r"]).flow_id;
        for (context, txn) in [
            (proxied("9/!r/m.room.message/7"), "7"),
            (
                proxied("_matrix/client/r0/rooms/!r/send/m.room.message/7"),
                "7",
            ),
            (local(&["!r", "7"]), "7"),
            (local(&["!r"]), &exchange),
        ] {
            let step = call(begin(&[], &context, &json_request(CONTENT)));
            assert_eq!(path(&step), format!("/rooms/!r/send/m.room.message/{txn}"));
            assert_eq!(step.request.body.as_deref(), Some(CONTENT.as_bytes()));
        }
    }

    #[test]
    fn an_alias_is_looked_up_before_the_message_is_sent() {
        let context = local(&["#a:h", "7"]);
        let lookup = call(begin(&[], &context, &json_request(CONTENT)));
        assert_eq!(path(&lookup), "/directory/room/#a:h");
        let sending = call(resume(
            &context,
            &lookup.state,
            success(r#"{"room_id":"!r"}"#),
        ));
        assert_eq!(path(&sending), "/rooms/!r/send/m.room.message/7");
        assert_eq!(sending.request.body.as_deref(), Some(CONTENT.as_bytes()));
        let answer = reply(resume(
            &context,
            &sending.state,
            success(r#"{"event_id":"$x"}"#),
        ));
        assert_eq!(answer.message.payload, b"\xa1\x68event_id\x62$x");
    }
}
