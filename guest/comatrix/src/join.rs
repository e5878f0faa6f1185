//! `/join`: join a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3joinroomidoralias>).

use comatrix_sdk::rule::{
    Call, HomeserverResponse, MAX_IDENTIFIER, Outcome, Reply, Request, Route, Value,
};

/// `POST /join`.
pub static ROUTE: Route = Route::post("join", begin)
    .proxy_uri(&["/K/{room}", "/L/{room}", "rooms/{room}/join", "join/{room}"])
    .accepts(&[])
    .calls(&[&JOIN, &JOIN_ALIAS])
    .attributes(&[("rt", "comatrix.join"), ("if", "comatrix")]);

static JOIN: Call<()> = Call::post("rooms/{room}/join", joined);
static JOIN_ALIAS: Call<()> = Call::post("join/{alias}", joined);

/// An alias needs no call of its own: joining takes aliases.
fn begin(request: &Request) -> Outcome {
    let room = request.room()?;
    let join = match room.starts_with('#') {
        true => &JOIN_ALIAS,
        false => &JOIN,
    };
    join.to(&[&room]).json(&Value::map([]))?.send()
}

/// Replies `{"room_id"}` with 2.04.
fn joined(response: &HomeserverResponse, (): ()) -> Outcome {
    let room_id = response.text("room_id", MAX_IDENTIFIER)?;
    Ok(Reply::changed(Value::texts([("room_id", &room_id)])).into())
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{Exchange, empty_request, success};

    #[test]
    fn the_room_may_come_from_either_option_or_from_the_settings() {
        let settings = [("room.kitchen", "#k:h")];
        for (exchange, expected) in [
            (Exchange::proxied("join", "K/!r:h"), "/rooms/!r:h/join"),
            (
                Exchange::proxied("join", "_matrix/client/v3/rooms/!r:h/join"),
                "/rooms/!r:h/join",
            ),
            (Exchange::local("join", &["!r"]), "/rooms/!r/join"),
            (Exchange::local("join", &["kitchen"]), "/join/#k:h"),
        ] {
            let exchange = exchange.with_settings(&settings);
            assert_eq!(exchange.path(&exchange.call(&empty_request())), expected);
        }
        let without = Exchange::local("join", &[]).with_settings(&settings);
        assert!(without.begin(&empty_request()).is_err());
    }

    #[test]
    fn the_room_id_comes_back() {
        let exchange = Exchange::local("join", &["!r"]);
        let step = exchange.call(&empty_request());
        let reply = exchange.reply(&step, success(r#"{"room_id":"!r"}"#));
        assert_eq!(reply.message.payload, b"\xa1\x67room_id\x62!r");
    }
}
