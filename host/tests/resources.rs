//! Discovery, and resources that the operator has switched off.

use coap::{code, option};

use crate::default_rule::calls;
use crate::error_responses::{Quiet, proxied};
use crate::exchange::{request, response, send};

#[tokio::test]
async fn a_resource_that_is_switched_off_is_4_04_in_all_its_forms_and_not_listed() {
    let quiet = Quiet::new();
    let snapshots = &quiet.gateway.snapshots;
    snapshots.update(|snapshot| snapshot.disabled = ["send".to_owned()].into());
    let cases = vec![
        ("short", send()),
        ("room only", request(code::PUT, "send/!r:h")),
        ("wrong method", request(code::GET, "send")),
    ];
    quiet.responds_with(code::NOT_FOUND, cases).await;
    let proxied = proxied(format!("{}9/!r:h/m.room.message/1", quiet.stub.url()));
    quiet
        .responds_with(code::PROXYING_NOT_SUPPORTED, vec![("proxied", proxied)])
        .await;
    let listed = response(&quiet.gateway, request(code::GET, ".well-known/core")).await;
    let listed = String::from_utf8(listed.payload).expect("links are text");
    assert!(
        listed.contains("</time>") && !listed.contains("send"),
        "{listed}"
    );
}

#[tokio::test]
async fn discovery_lists_the_resources_that_match_without_calling_the_rule() {
    let quiet = Quiet::new();
    let before = calls(&quiet.gateway);
    for (queries, hrefs) in [
        (
            &[][..],
            &[
                "/register",
                "/login",
                "/logout",
                "/join",
                "/send",
                "/getmsg",
                "/time",
            ][..],
        ),
        (&["rt=comatrix.time"], &["/time"]),
        (&["ct=50", "href=/s*"], &["/send"]),
        (&["if=comatrix", "rt=comatrix.log*"], &["/login", "/logout"]),
        (&["rt=nothing"], &[]),
    ] {
        let message = queries
            .iter()
            .fold(request(code::GET, ".well-known/core"), |message, query| {
                message.with_option(option::URI_QUERY, *query)
            })
            .with_uint_option(option::ACCEPT, 40);
        let response = response(&quiet.gateway, message).await;
        assert_eq!(response.code, code::CONTENT);
        assert_eq!(response.uint_option(option::CONTENT_FORMAT), Some(40));
        let links = String::from_utf8(response.payload).expect("links are text");
        let listed: Vec<&str> = links
            .split('<')
            .filter_map(|link| link.split_once('>'))
            .map(|(href, _)| href)
            .collect();
        assert_eq!(listed, hrefs, "{queries:?}");
    }
    assert_eq!(calls(&quiet.gateway), before);
}

#[tokio::test]
async fn all_links_take_at_most_400_bytes() {
    let quiet = Quiet::new();
    let response = response(&quiet.gateway, request(code::GET, ".well-known/core")).await;
    let links = String::from_utf8(response.payload).expect("links are text");
    assert!(links.len() <= 400, "{} bytes: {links}", links.len());
}
