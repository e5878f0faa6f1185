use std::collections::BTreeSet;

use super::*;
use crate::bindings::{Step, Upstream};

const ORIGIN: &str = "https://matrix.example.org/";

fn request() -> HttpRequest {
    HttpRequest {
        upstream: Upstream::Standard,
        credential: "any".into(),
        method: "PUT".into(),
        path: vec!["rooms".into(), "!r:h".into(), "send".into()],
        query: vec![("a".into(), "b".into())],
        headers: vec![],
        body: Some(b"{}".to_vec()),
        hold_ms: 0,
    }
}

fn delivery() -> Delivery {
    Delivery {
        lane: "!r:h".into(),
        transaction: "7".into(),
        step: Step {
            request: request(),
            state: vec![],
        },
    }
}

fn peer(address: &str) -> Peer {
    Peer::unauthenticated(address.parse().unwrap())
}

fn sender(address: &str) -> Sender {
    Sender::of(&peer(address), None)
}

#[test]
fn an_id_stays_the_same_for_ever() {
    // The store has such ids, and homeservers remember them: another value here makes messages come twice.
    let id = DeliveryId::of(&sender("192.0.2.1:5683"), ORIGIN, &request(), "7");
    assert_eq!(id.to_string(), "bf5402e1c1fb1a4dedbf1e46bce5b162");
}

#[test]
fn a_repetition_has_the_same_id_from_any_port() {
    let id = |address| DeliveryId::of(&sender(address), ORIGIN, &request(), "7");
    assert_eq!(id("192.0.2.1:5683"), id("192.0.2.1:49152"));
    assert_eq!(id("192.0.2.1:5683"), id("[::ffff:192.0.2.1]:1"));
}

#[test]
fn anything_else_has_another_id() {
    let one = request();
    let path = |path: &[&str]| HttpRequest {
        path: path.iter().map(|segment| (*segment).to_owned()).collect(),
        ..request()
    };
    let query = |pairs: &[(&str, &str)]| HttpRequest {
        query: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..request()
    };
    let body = |body: &str| HttpRequest {
        body: Some(body.into()),
        ..request()
    };
    let device = sender("192.0.2.1:1");
    let others = [
        (sender("192.0.2.2:1"), ORIGIN, one.clone(), "7"),
        (device, "https://matrix.example.com/", one.clone(), "7"),
        (device, ORIGIN, one.clone(), "8"),
        (device, ORIGIN, path(&["rooms", "!s:h", "send"]), "7"),
        (device, ORIGIN, path(&["rooms", "!r:hsend"]), "7"),
        (device, ORIGIN, path(&["rooms", "!r:h", "send", "a"]), "7"),
        (device, ORIGIN, query(&[]), "7"),
        (device, ORIGIN, query(&[("ab", "")]), "7"),
        (device, ORIGIN, query(&[("a", "b"), ("", "")]), "7"),
        (device, ORIGIN, body("{} "), "7"),
        (device, ORIGIN, body("{}7"), ""),
        (device, ORIGIN, one, "7"),
    ];
    let ids = others.iter().map(|(sender, origin, request, transaction)| {
        DeliveryId::of(sender, origin, request, transaction)
    });
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), others.len());
}

#[test]
fn a_principal_counts_only_if_it_is_proven_and_then_in_place_of_the_address() {
    let named = |address, authenticated| {
        let peer = Peer {
            authenticated,
            principal: Some("meadow".into()),
            ..peer(address)
        };
        Sender::of(&peer, None)
    };
    assert_eq!(named("192.0.2.1:1", true), named("192.0.2.2:2", true));
    assert_ne!(named("192.0.2.1:1", true), sender("192.0.2.1:1"));
    assert_eq!(named("192.0.2.1:1", false), sender("192.0.2.1:1"));
}

#[test]
fn devices_behind_one_address_are_distinguished_by_their_tokens() {
    let with = |token: &[u8]| {
        let token = AccessToken::parse(token).unwrap();
        Sender::of(&peer("192.0.2.1:1"), Some(&token))
    };
    assert_eq!(with(b"syt_a"), with(b"Bearer syt_a"));
    assert_ne!(with(b"syt_a"), with(b"syt_b"));
    assert_ne!(with(b"syt_a"), sender("192.0.2.1:1"));
}

#[test]
fn an_id_is_32_digits_and_no_other_text_is_one() {
    let id = DeliveryId::from_bytes([7; 16]);
    assert_eq!(id.to_string(), "07".repeat(16));
    assert_eq!(DeliveryId::from_hex(&id.to_string()), Some(id));
    assert_eq!(DeliveryId::from_bytes(*id.as_bytes()), id);
    let plus = format!("+{}", "0".repeat(31));
    for wrong in [
        "",
        "07",
        &"0G".repeat(16),
        &"0F".repeat(16),
        &"0".repeat(33),
        &plus,
    ] {
        assert_eq!(DeliveryId::from_hex(wrong), None, "{wrong}");
    }
}

#[test]
fn each_part_that_a_delivery_must_not_have_is_named() {
    assert_eq!(check(&delivery()), Ok(()));
    let longest = Delivery {
        lane: "x".repeat(MAX_NAME),
        transaction: "x".repeat(MAX_NAME),
        ..delivery()
    };
    assert_eq!(check(&longest), Ok(()));
    for (text, bytes) in [(String::new(), 0), ("x".repeat(256), 256)] {
        let lane = Delivery {
            lane: text.clone(),
            ..delivery()
        };
        assert_eq!(check(&lane), Err(DeliveryFault::Lane(bytes)));
        let transaction = Delivery {
            transaction: text,
            ..delivery()
        };
        assert_eq!(check(&transaction), Err(DeliveryFault::Transaction(bytes)));
    }
    let with = |method: &str, hold_ms| {
        let mut delivery = delivery();
        delivery.step.request.method = method.into();
        delivery.step.request.hold_ms = hold_ms;
        delivery
    };
    for method in ["POST", "DELETE", "put", ""] {
        assert_eq!(check(&with(method, 0)), Err(DeliveryFault::Method));
    }
    assert_eq!(check(&with("PUT", 1)), Err(DeliveryFault::Hold));
}
