//! `/getmsg`: the last text message of a room
//! (<https://spec.matrix.org/v1.13/client-server-api/#get_matrixclientv3roomsroomidmessages>), and, with Observe,
//! those that follow it.
//!
//! The SDK looks for the message: the last one first; if that is a picture or a redacted one, earlier ones in a few
//! larger steps. With Observe the first call goes to the account's stream of events, whose response also says where
//! watching begins.

use comatrix_sdk::rule::{AllMessages, CBOR, JSON, Route, TEXT, TextMessage, Value};

/// `GET /getmsg`. The room comes from Proxy-Uri or Uri-Path.
pub static ROUTE: Route = Route::get("getmsg", |request| request.latest())
    .proxy_uri(&["/E/{room}", "rooms/{room}/messages"])
    .produces(&[CBOR, JSON, TEXT])
    .watch(&AllMessages(message))
    .attributes(&[
        ("rt", "comatrix.getmsg"),
        ("if", "comatrix"),
        ("title", "Last text"),
    ]);

/// `{"sender","body"}`, for the reply and for each notification. A device that accepts text gets the body alone.
fn message(message: &TextMessage) -> Value {
    Value::texts([("sender", message.sender), ("body", message.body)])
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::{Change, Context, HttpResponse, Step};
    use comatrix_sdk::code;

    use crate::RULE;
    use crate::fixtures::{Exchange, empty_request, success};

    const TEXT: &str =
        r#"{"type":"m.room.message","sender":"@a","content":{"msgtype":"m.text","body":"b"}}"#;
    const PICTURE: &str =
        r#"{"type":"m.room.message","sender":"@a","content":{"msgtype":"m.image","body":"b"}}"#;
    const REDACTED: &str = r#"{"type":"m.room.message","sender":"@a","content":{}}"#;

    fn query(step: &Step, name: &str) -> Option<String> {
        step.request
            .query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }

    #[test]
    fn the_last_text_message_is_looked_for_in_growing_steps() {
        let exchange = Exchange::local("getmsg", &["!r"]);
        let mut step = exchange.call(&empty_request());
        assert_eq!(exchange.path(&step), "/rooms/!r/messages");
        for (limit, from) in [("1", None), ("5", Some("t1")), ("10", Some("t2"))] {
            assert_eq!(query(&step, "limit").as_deref(), Some(limit));
            assert_eq!(query(&step, "from").as_deref(), from);
            let end = if limit == "1" { "t1" } else { "t2" };
            let page = format!(r#"{{"chunk":[{PICTURE},{REDACTED}],"end":"{end}"}}"#);
            step = exchange.next_call(&step, success(&page));
        }
        let page = format!(r#"{{"end":"t3","chunk":[{PICTURE},{TEXT},{REDACTED}]}}"#);
        let reply = exchange.reply(&step, success(&page));
        assert_eq!(reply.message.payload, b"\xa2\x66sender\x62@a\x64body\x61b");
    }

    #[test]
    fn a_room_at_its_beginning_has_no_text_message() {
        let exchange = Exchange::local("getmsg", &["!r"]);
        let step = exchange.call(&empty_request());
        let failure = exchange
            .resume(&step, success(r#"{"chunk":[]}"#))
            .expect_err("there is none");
        assert_eq!(failure.code, code::NOT_FOUND);
    }

    #[test]
    fn a_state_of_another_revision_is_refused() {
        let response = HttpResponse {
            status: 200,
            headers: vec![],
            body: b"{}".to_vec(),
        };
        for state in [&b""[..], b"\x83\x02\xf4\x62s1", b"\x80"] {
            let failure = RULE.poll(state, &[]).expect_err("unknown");
            assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
            let failure = RULE.polled(&[], state, &[], &response);
            assert_eq!(
                failure.expect_err("unknown").code,
                code::INTERNAL_SERVER_ERROR
            );
        }
    }

    #[test]
    fn a_change_that_the_rule_did_not_make_is_no_notification() {
        for (resource, captures, payload) in [
            ("getmsg", &["!r"][..], &b""[..]),
            ("getmsg", &["!r"], b"\xa1\x66sender\x61@"),
            ("register", &[], b"\xa2\x66sender\x61@\x64body\x60"),
        ] {
            let context: Context = Exchange::local(resource, captures).context;
            let change = Change {
                topic: "!r".to_owned(),
                payload: payload.to_vec(),
            };
            let failure = RULE.notify(&context, &change).expect_err("foreign");
            assert_eq!(failure.code, code::INTERNAL_SERVER_ERROR);
        }
    }
}
