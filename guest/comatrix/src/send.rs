//! `/send`: send a message to a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid>).

use comatrix_sdk::rule::{
    CBOR, Delivery, HomeserverResponse, JSON, MAX_IDENTIFIER, Outcome, Reply, Request, Route, TEXT,
    Value, text,
};

/// `PUT /send`. Room and transaction come from Proxy-Uri or Uri-Path.
pub static ROUTE: Route = Route::put("send", begin)
    .proxy_uri(&[
        "/9/{room}/m.room.message/{transaction}",
        "rooms/{room}/send/m.room.message/{transaction}",
    ])
    .accepts(&[CBOR, JSON, TEXT])
    .produces(&[CBOR, JSON, TEXT])
    .needs_token()
    .calls(&[&SEND])
    .attributes(&[("rt", "comatrix.send"), ("if", "comatrix")]);

static SEND: Delivery<()> = Delivery::put("rooms/{room}/send/m.room.message", sent);

/// Payload: the event's content, a map with the text `body`, which is passed on as it is, or only that text. The
/// default `msgtype` is `m.text`. The default transaction is the exchange's id, which is the same for retransmissions.
/// The gateway delivers the message: a message with the same transaction, room and content from the same device is one
/// event, also if the homeserver cannot be reached for a while.
fn begin(request: &Request) -> Outcome {
    let room = request.room()?;
    let transaction = match request.capture("transaction") {
        "" => request.flow_id(),
        transaction => transaction,
    };
    let content = content(request.map_or_text()?);
    text(&content, "msgtype")?;
    text(&content, "body")?;
    SEND.to(&[&room]).json(&content)?.deliver(transaction)
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

/// Replies `{"event_id"}` with 2.04; to a device that accepts text, the event's id alone.
fn sent(response: &HomeserverResponse, (): ()) -> Outcome {
    let event_id = response.text("event_id", MAX_IDENTIFIER)?;
    let value = match response.accepts_text() {
        true => Value::Text(event_id),
        false => Value::texts([("event_id", &event_id)]),
    };
    Ok(Reply::changed(value).into())
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{Exchange, json_request, success};

    const CONTENT: &str = r#"{"msgtype":"m.text","body":"hello","n":1}"#;

    #[test]
    fn room_and_transaction_may_come_from_either_option() {
        let flow_id = Exchange::local("send", &["!r"]).context.flow_id;
        for (exchange, transaction) in [
            (Exchange::proxied("send", "9/!r/m.room.message/7"), "7"),
            (
                Exchange::proxied("send", "_matrix/client/r0/rooms/!r/send/m.room.message/7"),
                "7",
            ),
            (Exchange::local("send", &["!r", "7"]), "7"),
            (Exchange::local("send", &["!r"]), &flow_id),
        ] {
            let delivery = exchange.delivery(&json_request(CONTENT));
            let expected = "/rooms/!r/send/m.room.message";
            assert_eq!(exchange.path(&delivery.step), expected);
            assert_eq!(
                (&*delivery.lane, &*delivery.transaction),
                ("!r", transaction)
            );
            let body = delivery.step.request.body.as_deref();
            assert_eq!(body, Some(CONTENT.as_bytes()));
        }
    }

    #[test]
    fn an_alias_is_looked_up_before_the_message_is_sent() {
        let exchange = Exchange::local("send", &["#a:h", "7"]);
        let lookup = exchange.call(&json_request(CONTENT));
        assert_eq!(exchange.path(&lookup), "/directory/room/#a:h");
        let sending = exchange.next_delivery(&lookup, success(r#"{"room_id":"!r"}"#));
        assert_eq!((&*sending.lane, &*sending.transaction), ("!r", "7"));
        let sending = sending.step;
        assert_eq!(exchange.path(&sending), "/rooms/!r/send/m.room.message");
        assert_eq!(sending.request.body.as_deref(), Some(CONTENT.as_bytes()));
        let reply = exchange.reply(&sending, success(r#"{"event_id":"$x"}"#));
        assert_eq!(reply.message.payload, b"\xa1\x68event_id\x62$x");
    }

    #[test]
    fn the_state_that_is_stored_has_nothing_of_the_message() {
        let exchange = Exchange::local("send", &["!r", "7"]);
        let state = exchange.delivery(&json_request(CONTENT)).step.state;
        assert!(!state.windows(5).any(|bytes| bytes == b"hello"));
    }
}
