use proptest::prelude::*;

use super::*;
use crate::bindings::{HttpRequest, Segment, Upstream};
use crate::links::captures;

const SEND: &str = "PUT any standard /_matrix/client/v3/rooms/*/send/m.room.message/*";

fn grant(text: &str) -> Grant {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn need(path: Vec<Segment>) -> Need {
    Need {
        upstream: "standard".into(),
        credential: "any".into(),
        methods: vec!["PUT".into(), "GET".into()],
        path,
    }
}

fn call(method: &str, credential: &str, upstream: &str, path: Vec<String>) -> Call {
    let request = HttpRequest {
        upstream: match upstream {
            "standard" => Upstream::Standard,
            "requested" => Upstream::Requested,
            name => Upstream::Named(name.into()),
        },
        credential: credential.into(),
        method: method.into(),
        path,
        query: vec![],
        headers: vec![],
        body: None,
        hold_ms: 0,
    };
    Call::check(request, &crate::HeaderGrants::default()).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_call_is_covered_only_if_every_part_of_it_is() {
    let granted = grant("PUT any standard /rooms/*");
    let path = || vec!["rooms".to_owned(), "!a".to_owned()];
    assert!(granted.allows(&call("PUT", "any", "standard", path())));
    assert!(!granted.allows(&call("PUT", "any", "requested", path())));
    assert!(!granted.allows(&call("PUT", "any", "standard2", path())));
    assert!(!granted.allows(&call("PUT", "none", "standard", path())));
    assert!(!granted.allows(&call("GET", "any", "standard", path())));
    let short = vec!["rooms".to_owned()];
    assert!(!granted.allows(&call("PUT", "any", "standard", short)));
}

#[test]
fn a_grant_is_written_as_it_was_read_with_methods_in_one_order() {
    for text in [
        SEND,
        "GET,POST none requested /_matrix/**",
        "DELETE device lab /",
        "GET any standard /**",
    ] {
        assert_eq!(grant(text).to_string(), text);
    }
    assert_eq!(
        grant("  PUT,GET,PUT  any lab\t/a "),
        grant("GET,PUT any lab /a")
    );
}

#[test]
fn a_need_becomes_one_grant_that_can_be_copied_between_quotes() {
    let literal = |text: &str| Segment::Literal(text.into());
    let path = vec![
        literal("a/b"),
        literal("100%"),
        literal("*"),
        literal("ü\"\\ "),
        Segment::Capture("room".into()),
        Segment::Rest,
    ];
    let granted = Grant::of(&need(path)).unwrap();
    let text = "GET,PUT any standard /a%2Fb/100%25/%2A/%C3%BC%22%5C%20/*/**";
    assert_eq!(granted.to_string(), text);
    assert_eq!(grant(text), granted);
}

#[test]
fn a_text_that_is_no_grant_is_refused_with_the_remedy() {
    let cases = [
        ("", "four words"),
        ("PUT any standard", "METHODS CREDENTIAL UPSTREAM PATH"),
        ("PUT any standard /a b", "four words"),
        ("PATCH any standard /a", "take GET, POST, PUT or DELETE"),
        ("get any standard /a", "\"get\" is no method"),
        ("GET,,PUT any standard /a", "several of them with commas"),
        ("GET token standard /a", "take none, device"),
        ("GET any %zz /a", "[[homeserver]]"),
        ("GET any a%0Ab /a", "\"a\\u{a}b\" is no upstream"),
        ("GET any standard a", "begins with /"),
        ("GET any standard /a//b", "segment is empty"),
        ("GET any standard /a/", "segment is empty"),
        ("GET any standard /a/../b", "dot segment"),
        ("GET any standard /%2e%2E", "dot segment"),
        ("GET any standard /a%00", "control characters"),
        ("GET any standard /**/a", "last segment"),
        ("GET any standard /a*", "%2A"),
        ("GET any standard /***", "%2A"),
        ("GET any standard /100%", "%25"),
        ("GET any standard /%ff", "UTF-8"),
    ];
    for (text, remedy) in cases {
        let said = text.parse::<Grant>().unwrap_err().to_string();
        assert!(
            said.contains(remedy) && !said.contains('\n'),
            "{text}: {said}"
        );
    }
    let long = format!("GET any standard /{}", "a".repeat(1024));
    assert_eq!(long.parse::<Grant>(), Err(GrantError::TooLong));
    let deep = format!("GET any standard {}", "/a".repeat(33));
    assert!(
        deep.parse::<Grant>()
            .unwrap_err()
            .to_string()
            .contains("end it with **")
    );
}

#[test]
fn a_need_that_no_grant_can_fulfil_is_refused() {
    let rest = need(vec![Segment::Rest, Segment::Literal("a".into())]);
    let dots = need(vec![Segment::Literal("..".into())]);
    let method = Need {
        methods: vec!["GET\r\nHost: x".into()],
        ..need(vec![])
    };
    let methods = Need {
        methods: vec![],
        ..need(vec![])
    };
    let credential = Need {
        credential: "all".into(),
        ..need(vec![])
    };
    let upstream = Need {
        upstream: String::new(),
        ..need(vec![])
    };
    for lying in [rest, dots, method, methods, credential, upstream] {
        let said = Grant::of(&lying).unwrap_err().to_string();
        assert!(!said.contains('\n'), "{said}");
    }
}

/// Texts of patterns over two literals; `c` stands in no pattern, so it is any other segment.
fn patterns() -> impl Strategy<Value = Vec<&'static str>> {
    let part = prop::sample::select(vec!["a", "b", "*"]);
    (prop::collection::vec(part, 0..4), any::<bool>()).prop_map(|(mut parts, open)| {
        if open {
            parts.push("**");
        }
        parts
    })
}

/// All paths of at most five segments a, b and c.
fn paths() -> Vec<Vec<String>> {
    let mut paths = vec![Vec::new()];
    let mut longest = 0;
    for _ in 0..5 {
        let next = paths.len();
        for index in longest..next {
            for segment in ["a", "b", "c"] {
                let mut path = paths[index].clone();
                path.push(segment.to_owned());
                paths.push(path);
            }
        }
        longest = next;
    }
    paths
}

fn grants() -> impl Strategy<Value = Grant> {
    let methods = prop::sample::subsequence(vec!["GET", "POST", "PUT"], 1..=3);
    let credential = prop::sample::select(vec!["none", "any"]);
    let upstream = prop::sample::select(vec!["standard", "lab"]);
    (methods, credential, upstream, patterns()).prop_map(|(methods, credential, upstream, path)| {
        grant(&format!(
            "{} {credential} {upstream} /{}",
            methods.join(","),
            path.join("/")
        ))
    })
}

proptest! {
    #[test]
    fn one_covers_another_exactly_if_every_call_of_the_other_is_allowed_by_it(one in grants(), other in grants()) {
        let mut all = true;
        for path in paths() {
            for method in ["GET", "POST", "PUT"] {
                for credential in ["none", "any"] {
                    for upstream in ["standard", "lab"] {
                        let call = call(method, credential, upstream, path.clone());
                        all &= !other.allows(&call) || one.allows(&call);
                    }
                }
            }
        }
        prop_assert_eq!(one.covers(&other), all);
        prop_assert!(one.covers(&one));
    }

    #[test]
    fn a_wider_grant_covers_a_narrower_one(
        narrow in patterns(),
        wide in prop::collection::vec(any::<bool>(), 4),
        cut in 0_usize..5,
    ) {
        let widened = |(part, wide): (&&'static str, &bool)| if *wide && *part != "**" { "*" } else { *part };
        let mut parts: Vec<_> = narrow.iter().zip(&wide).map(widened).collect();
        if cut < parts.len() {
            parts.truncate(cut);
            parts.push("**");
        }
        let narrow = grant(&format!("PUT any standard /{}", narrow.join("/")));
        let wide = grant(&format!("GET,PUT any standard /{}", parts.join("/")));
        prop_assert!(wide.covers(&narrow));
    }

    #[test]
    fn a_grant_allows_the_calls_that_its_need_covers(
        path in patterns(),
        called in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..5),
    ) {
        let segments = path.iter().map(|part| match *part {
            "*" => Segment::Capture("x".into()),
            "**" => Segment::Rest,
            literal => Segment::Literal(literal.into()),
        });
        let need = need(segments.collect());
        let called: Vec<_> = called.into_iter().map(str::to_owned).collect();
        for method in ["GET", "PUT", "POST"] {
            let call = call(method, "any", "standard", called.clone());
            let covered = need.methods.iter().any(|needed| needed == method) && captures(&need.path, &called).is_some();
            prop_assert_eq!(Grant::of(&need).unwrap().allows(&call), covered);
        }
    }

    #[test]
    fn any_literal_survives_being_written(text in "\\PC{0,12}|[*/%. \"\\\\a]{0,6}") {
        if let Ok(granted) = Grant::of(&need(vec![Segment::Literal(text.clone())])) {
            let written = granted.to_string();
            let harmless = |byte: u8| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte);
            prop_assert!(written.bytes().all(harmless), "{}", written);
            prop_assert_eq!(&grant(&written), &granted);
            let call = call("PUT", "any", "standard", vec![text]);
            prop_assert!(granted.allows(&call));
        }
    }

    #[test]
    fn no_text_panics(text in "[A-Z,]{0,8} [a-z]{0,6} [a-z%0-9]{0,6} [/*%a.0-9]{0,20}|\\PC*") {
        if let Ok(granted) = text.parse::<Grant>() {
            prop_assert_eq!(grant(&granted.to_string()), granted);
        }
    }
}
