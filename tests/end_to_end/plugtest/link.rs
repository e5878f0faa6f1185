//! `TD_COAP_LINK`: discovery and its filters (RFC 6690).

use comatrix_tests::device::{LINK_FORMAT, Request, option};

use super::stage::{BOTH, Client, values};

/// The targets that `/.well-known/core` lists for a filter, by both clients alike.
fn targets(query: &str) -> Vec<String> {
    let [mut listed, other] = BOTH.map(|client| {
        let exchange = client.exchange(&Request::new("GET", &format!("/.well-known/core{query}")));
        assert_eq!(exchange.response.code, "2.05", "{query}");
        targets_in(&exchange.response.text())
    });
    assert_eq!(listed, other);
    listed.sort();
    listed
}

fn targets_in(links: &str) -> Vec<String> {
    let links = links.split('<').filter_map(|link| link.split_once('>'));
    links.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn td_coap_link_01_the_well_known_interface() {
    let exchange = Client::Aiocoap.exchange(&Request::new("GET", "/.well-known/core"));
    assert_eq!(
        exchange.response.number(option::CONTENT_FORMAT),
        Some(LINK_FORMAT.into())
    );
    let listed = targets("");
    for target in ["/time", "/send", "/plugtest/test", "/plugtest/path"] {
        assert!(
            listed.iter().any(|listed| listed == target),
            "{target} is not in {listed:?}"
        );
    }
}

#[test]
fn td_coap_link_02_a_filter() {
    assert_eq!(targets("?rt=Type1"), ["/plugtest/link1", "/plugtest/link3"]);
    assert_eq!(targets("?rt=no-such-type"), Vec::<String>::new());
}

#[test]
fn td_coap_link_03_an_empty_prefix() {
    // `*` alone: every link with the attribute.
    let listed = targets("?rt=*");
    assert!(listed.contains(&"/plugtest/link1".to_owned()), "{listed:?}");
    assert!(
        !listed.contains(&"/plugtest/link4".to_owned()),
        "{listed:?}"
    );
}

#[test]
fn td_coap_link_04_several_values_of_rt() {
    assert_eq!(targets("?rt=Type2"), ["/plugtest/link1", "/plugtest/link2"]);
    assert_eq!(targets("?rt=Type*").len(), 3);
}

#[test]
fn td_coap_link_05_a_filter_by_if() {
    assert_eq!(targets("?if=If*"), ["/plugtest/link1", "/plugtest/link2"]);
    assert_eq!(targets("?if=foo"), ["/plugtest/link3"]);
}

#[test]
fn td_coap_link_06_a_filter_by_sz() {
    assert_eq!(targets("?sz=*"), ["/plugtest/large"]);
    assert_eq!(targets("?sz=1700"), ["/plugtest/large"]);
    assert_eq!(targets("?sz=1"), Vec::<String>::new());
}

#[test]
fn td_coap_link_07_a_filter_by_href() {
    assert_eq!(targets("?href=/plugtest/link1"), ["/plugtest/link1"]);
}

#[test]
fn td_coap_link_08_a_filter_by_a_prefix_of_href() {
    assert_eq!(
        targets("?href=/plugtest/link*"),
        [
            "/plugtest/link1",
            "/plugtest/link2",
            "/plugtest/link3",
            "/plugtest/link4"
        ]
    );
}

#[test]
fn td_coap_link_09_links_in_a_hierarchy() {
    assert_eq!(targets("?ct=40"), ["/plugtest/path"]);
    for client in BOTH {
        let exchange = client.exchange(&Request::new("GET", "/plugtest/path"));
        assert_eq!(values(&exchange.pair().1, option::CONTENT_FORMAT), [[40]]);
        let below = targets_in(&exchange.response.text());
        assert_eq!(below, ["/plugtest/path/sub1", "/plugtest/path/sub2"]);
        for target in below {
            client
                .exchange(&Request::new("GET", &target))
                .is_piggybacked("2.05");
        }
    }
}
