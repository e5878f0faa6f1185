//! `/.well-known/core`: the list of resources, and RFC 6690's filters.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{LINK_FORMAT, Request, option};

use crate::stage;

fn targets(device: &mut Aiocoap, query: &str) -> Vec<String> {
    let response = device.request(&Request::new("GET", &format!("/.well-known/core{query}")));
    assert_eq!(
        (
            response.code.as_str(),
            response.number(option::CONTENT_FORMAT)
        ),
        ("2.05", Some(LINK_FORMAT.into()))
    );
    let text = response.text();
    let mut targets: Vec<String> = text
        .split('<')
        .filter_map(|link| link.split_once('>'))
        .map(|(target, _)| target.to_owned())
        .collect();
    targets.sort();
    targets
}

#[test]
fn every_resource_is_listed_once() {
    let mut device = Aiocoap::start(stage::over_ipv4());
    let listed = targets(&mut device, "");
    assert_eq!(
        listed,
        [
            "/getmsg",
            "/join",
            "/login",
            "/logout",
            "/register",
            "/send",
            "/time"
        ]
    );
}

#[test]
fn filters_of_rfc_6690_select_links() {
    let mut device = Aiocoap::start(stage::over_ipv4());
    assert_eq!(targets(&mut device, "?href=/time"), ["/time"]);
    assert_eq!(targets(&mut device, "?href=/log*"), ["/login", "/logout"]);
    assert_eq!(targets(&mut device, "?ct=0"), ["/getmsg", "/send", "/time"]);
    assert_eq!(
        targets(&mut device, "?rt=no-such-type"),
        Vec::<String>::new()
    );
    let first = device
        .request(&Request::new("GET", "/.well-known/core?href=/send"))
        .text();
    let rt = first
        .split("rt=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("/send has a type")
        .to_owned();
    assert!(targets(&mut device, &format!("?rt={rt}")).contains(&"/send".to_owned()));
}
