//! `/send`: send a message to a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>).

use comatrix_sdk::rule::{
    CBOR, Call, HomeserverResponse, JSON, MAX_IDENTIFIER, Outcome, Reply, Request, Route, TEXT,
    Value, text,
};

/// `PUT /send`. Room and transaction come from Proxy-Uri or Uri-Path.
pub static ROUTE: Route = Route::put("send", begin)
    .proxy_uri(&[
        "/9/{room}/m.room.message/{transaction}",
        "rooms/{room}/send/m.room.message/{transaction}",
    ])
    .accepts(&[CBOR, JSON, TEXT])
    .needs_token()
    .calls(&[&SEND])
    .attributes(&[("rt", "comatrix.send"), ("if", "comatrix")]);

static SEND: Call<()> = Call::put("rooms/{room}/send/m.room.message/{txn}", sent);

/// Payload: the event's content, a map with the text `body`, which is passed on as it is, or only that text. The
/// default `msgtype` is `m.text`. The default transaction is the exchange's id, which is the same for retransmissions,
/// so that the homeserver makes one event of them.
fn begin(request: &Request) -> Outcome {
    let room = request.room()?;
    let transaction = match request.capture("transaction") {
        "" => request.flow_id(),
        transaction => transaction,
    };
    let content = content(request.map_or_text()?);
    text(&content, "msgtype")?;
    text(&content, "body")?;
    SEND.to(&[&room, transaction]).json(&content)?.send()
}

/// The event's content.
fn content(payload: Value) -> Value {
    let msgtype = || ("msgtype".to_owned(), "m.text".into());
    match payload {
        Value::Map(mut pairs) => {
            if !pairs.iter().any(|(key, _)| key == "msgtype") {
                pairs.insert(0, msgtype());
            }
            Value::Map(pairs)
        }
        body => Value::Map(vec![msgtype(), ("body".to_owned(), body)]),
    }
}

/// Replies `{"event_id"}` with 2.04.
fn sent(response: &HomeserverResponse, (): ()) -> Outcome {
    let event_id = response.text("event_id", MAX_IDENTIFIER)?;
    Ok(Reply::changed(Value::texts([("event_id", &event_id)])).into())
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{Exchange, json_request, success};

    const CONTENT: &str = r#"{"msgtype":"m.text","body":"hello","n":1}"#;

    #[test]
    fn room_and_transaction_may_come_from_either_option() {
        let flow_id = Exchange::local("send", &["!r"]).context.flow_id;
        for (exchange, txn) in [
            (Exchange::proxied("send", "9/!r/m.room.message/7"), "7"),
            (
                Exchange::proxied("send", "_matrix/client/r0/rooms/!r/send/m.room.message/7"),
                "7",
            ),
            (Exchange::local("send", &["!r", "7"]), "7"),
            (Exchange::local("send", &["!r"]), &flow_id),
        ] {
            let step = exchange.call(&json_request(CONTENT));
            let expected = format!("/rooms/!r/send/m.room.message/{txn}");
            assert_eq!(exchange.path(&step), expected);
            assert_eq!(step.request.body.as_deref(), Some(CONTENT.as_bytes()));
        }
    }

    #[test]
    fn an_alias_is_looked_up_before_the_message_is_sent() {
        let exchange = Exchange::local("send", &["#a:h", "7"]);
        let lookup = exchange.call(&json_request(CONTENT));
        assert_eq!(exchange.path(&lookup), "/directory/room/#a:h");
        let sending = exchange.next_call(&lookup, success(r#"{"room_id":"!r"}"#));
        assert_eq!(exchange.path(&sending), "/rooms/!r/send/m.room.message/7");
        assert_eq!(sending.request.body.as_deref(), Some(CONTENT.as_bytes()));
        let reply = exchange.reply(&sending, success(r#"{"event_id":"$x"}"#));
        assert_eq!(reply.message.payload, b"\xa1\x68event_id\x62$x");
    }
}
