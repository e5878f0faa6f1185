//! `/join`: join a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3joinroomidoralias>).

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpResponse, Message};
use comatrix_sdk::code;
use comatrix_sdk::message::reply;
use comatrix_sdk::settings::Settings;

use crate::call::{call, then};
use crate::fields::answer_format;
use crate::homeserver_answer::text_member;
use crate::homeserver_error::success;
use crate::refusal::Refusal;
use crate::room::{MAX_IDENTIFIER, Room, resolve};
use crate::state::{format_only, recall};
use crate::success::texts;
use crate::target::{Endpoint, agreed, mismatch};

/// The room comes from Proxy-Uri or Uri-Path. An alias needs no call of its own: joining takes aliases.
pub fn begin(
    settings: &dyn Settings,
    context: &Context,
    request: &Message,
) -> Result<Effect, Refusal> {
    let proxy_uri = match Endpoint::of(context) {
        None => None,
        Some(Endpoint::Join { room }) => Some(room),
        Some(_) => return Err(mismatch("/K/<room>")),
    };
    let uri_path = context.captures.first().map(String::as_str);
    let Some(name) = agreed("room", proxy_uri, uri_path)? else {
        return Err(Refusal::bad_request(
            "room: missing; send it as /join/<room> or in Proxy-Uri",
        ));
    };
    let room = resolve(settings, name)?;
    let path = match &room {
        Room::Id(id) => ["rooms", id, "join"].to_vec(),
        Room::Alias(alias) => ["join", alias].to_vec(),
    };
    let joining = call(context, "any", "POST", &path, Some(b"{}".to_vec()));
    Ok(then(joining, format_only(answer_format(request))))
}

/// Answers `{"room_id"}` with 2.04.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, _) = recall(state)?;
    let room_id = text_member(
        &success(context, format, outcome)?.body,
        "room_id",
        MAX_IDENTIFIER,
    )?;
    Ok(reply(texts(code::CHANGED, format, [("room_id", &room_id)])))
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{call, empty_request, local, path, proxied, reply, success};

    use super::*;

    #[test]
    fn the_room_may_come_from_either_option_or_from_the_settings() {
        let settings = [("room.kitchen", "#k:h")];
        for (context, expected) in [
            (proxied("K/!r:h"), "/rooms/!r:h/join"),
            (
                proxied("_matrix/client/v3/rooms/!r:h/join"),
                "/rooms/!r:h/join",
            ),
            (local(&["!r"]), "/rooms/!r/join"),
            (local(&["kitchen"]), "/join/#k:h"),
        ] {
            assert_eq!(
                path(&call(begin(&settings, &context, &empty_request()))),
                expected
            );
        }
        assert!(begin(&settings, &local(&[]), &empty_request()).is_err());
    }

    #[test]
    fn the_room_id_comes_back() {
        let context = local(&["!r"]);
        let step = call(begin(&[], &context, &empty_request()));
        let answer = reply(resume(
            &context,
            &step.state,
            success(r#"{"room_id":"!r"}"#),
        ));
        assert_eq!(answer.message.payload, b"\xa1\x67room_id\x62!r");
    }
}
