//! `TD_COAP_CORE`, 18 to 23: options of responses, formats and preconditions.

use comatrix_tests::device::{JSON, Request, TEXT, option};

use super::core::test;
use super::stage::{BOTH, values};

const ETAG: u16 = 4;
const IF_NONE_MATCH: u16 = 5;
const LOCATION_PATH: u16 = 8;
const LOCATION_QUERY: u16 = 20;

#[test]
fn td_coap_core_18_location_path() {
    for client in BOTH {
        let (_, response) = client.exchange(&test("POST")).pair();
        let expected =
            ["location1", "location2", "location3"].map(|segment| segment.as_bytes().to_vec());
        assert_eq!(values(&response, LOCATION_PATH), expected);
    }
}

#[test]
fn td_coap_core_19_location_query() {
    for client in BOTH {
        let request = Request::new("POST", "/plugtest/location-query").bytes(b"new", Some(TEXT));
        let (_, response) = client.exchange(&request).pair();
        let expected = ["first=1", "second=2"].map(|query| query.as_bytes().to_vec());
        assert_eq!(values(&response, LOCATION_QUERY), expected);
    }
}

#[test]
fn td_coap_core_20_accept() {
    for client in BOTH {
        let get = || Request::new("GET", "/plugtest/multi-format");
        for (accept, format, text) in [
            (TEXT, vec![], "multi-format"),
            (JSON, vec![50], r#"{"a":"test"}"#),
        ] {
            let exchange = client.exchange(&get().accept(accept));
            exchange.is_piggybacked("2.05");
            assert_eq!(exchange.response.text(), text);
            assert_eq!(values(&exchange.pair().1, option::CONTENT_FORMAT), [format]);
        }
        // 41: XML, which nothing here speaks.
        client.exchange(&get().accept(41)).is_piggybacked("4.06");
    }
}

#[test]
fn td_coap_core_21_etag() {
    let get = || Request::new("GET", "/plugtest/validate");
    for client in BOTH {
        let (_, first) = client.exchange(&get()).pair();
        let etag = values(&first, ETAG).concat();
        assert!((1..=8).contains(&etag.len()), "{etag:?}");
        let again = client.exchange(&get().option(ETAG, &etag));
        again.is_piggybacked("2.03");
        let (_, valid) = again.pair();
        assert_eq!(
            (values(&valid, ETAG).concat(), valid.payload.len()),
            (etag, 0)
        );
        client
            .exchange(&get().option(ETAG, b"another"))
            .is_piggybacked("2.05");
    }
}

#[test]
fn td_coap_core_22_if_match() {
    for client in BOTH {
        // The empty one asks only that the resource exists (RFC 7252 §5.10.8.1).
        client
            .exchange(&test("PUT").option(option::IF_MATCH, b""))
            .is_piggybacked("2.04");
        client
            .exchange(&test("PUT").option(option::IF_MATCH, b"another"))
            .is_piggybacked("4.12");
    }
}

#[test]
fn td_coap_core_23_if_none_match() {
    for client in BOTH {
        client
            .exchange(&test("PUT").option(IF_NONE_MATCH, b""))
            .is_piggybacked("4.12");
    }
}
