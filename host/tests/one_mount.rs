//! Several rules at one mount: the resource that describes a path most closely gets its requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use coap::code;
use contract::{Effect, Message as RuleMessage, Reply};
use runtime::{MountTable, Mounted, Revision};

use crate::default_rule::{activate_rule, engine, gateway, limits, swap};
use crate::exchange::{request, response};
use crate::http_call::homeserver;
use crate::rule_text::RuleText;
use crate::stub::Stub;

/// A rule that takes every path of one segment, for GET and PUT.
fn taking_all() -> Revision {
    let mut rule = RuleText::described("*", &[1, 3], "needed");
    let reply = Effect::Reply(Reply {
        message: RuleMessage {
            code: code::CONTENT,
            options: vec![],
            payload: b"taken".to_vec(),
        },
        session: None,
        watch: None,
    });
    rule.begin = rule.value(&Ok(reply)).1;
    let (component, settings) = (rule.component(), BTreeMap::new());
    let revision = activate_rule(&engine(), None, "all", &component, settings, limits());
    revision.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn a_rule_that_takes_every_path_takes_no_resource_of_another_one() {
    let stub = Stub::content();
    let gateway = gateway(vec![homeserver(stub.url(), None)]);
    let default = gateway.snapshots.load().rules.rules()[0].revision.clone();
    let all = Arc::new(taking_all());
    for rules in [[&all, &default], [&default, &all]] {
        let mounted = rules.map(|revision| Mounted {
            mount: Vec::new(),
            revision: revision.clone(),
        });
        let table = MountTable::new(mounted.into());
        swap(&gateway, table.unwrap_or_else(|error| panic!("{error}")));
        let time = response(&gateway, request(code::GET, "time")).await;
        assert!(time.payload.iter().all(u8::is_ascii_digit), "{time:?}");
        let other = response(&gateway, request(code::GET, "weather")).await;
        assert_eq!(other.payload, b"taken");
        // The default rule has no such method there.
        let other = response(&gateway, request(code::PUT, "time")).await;
        assert_eq!(other.payload, b"taken");
        let unknown = response(&gateway, request(code::GET, "weather/today")).await;
        assert_eq!(unknown.code, code::NOT_FOUND);
    }
}
