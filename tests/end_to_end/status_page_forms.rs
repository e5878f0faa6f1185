//! The forms of the status page: an operator's changes with them, and that nobody else makes any.

use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::Request;
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::page::Page;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::stub::{Behaviour, Stub};
use serde_json::json;

use crate::stage::send_to;

/// A gateway one of whose rules has a revision to go back to.
pub struct Swapped {
    /// The gateway.
    pub gateway: Gateway,
    /// Its page.
    pub page: Page,
    /// Its homeserver.
    pub stub: Stub,
    _scratch: Scratch,
}

impl Swapped {
    /// Starts it, lets a device have a message sent and another one refused, and swaps `comatrix` for a rule that has
    /// no
    /// `GET /time`.
    pub fn start() -> Self {
        let stub = Stub::always(Behaviour::json(200, json!({ "event_id": "$e" })));
        let scratch = Scratch::new("page");
        let socket = scratch.path().join("control.sock").display().to_string();
        let (gateway, page) =
            Page::start(&["--homeserver", &stub.origin, "--control-socket", &socket]);
        let mut device = Aiocoap::start(gateway.address);
        assert_eq!(device.request(&send_to(&stub.origin)).code, "2.04");
        assert_eq!(device.request(&send_to("http://127.0.0.1:9")).code, "5.05");
        let rule = places::workspace().join("target/guest/senml.wasm");
        let rule = rule.display().to_string();
        let swap = [
            "rules",
            "--control-socket",
            &socket,
            "swap",
            "comatrix",
            &rule,
        ];
        let swapped = gateway::run(&swap);
        assert!(swapped.status.success(), "{swapped:?}");
        Self {
            gateway,
            page,
            stub,
            _scratch: scratch,
        }
    }

    /// The digest of the revision that serves.
    pub fn revision(&self) -> String {
        let status = self.page.status();
        let revision = status["rules"][0]["revision"].as_str();
        revision.expect("it serves").to_owned()
    }

    /// The revision that serves once it is not `former` any more: a browser's request arrives a moment after the
    /// click.
    pub fn revision_after(&self, former: &str) -> String {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let revision = self.revision();
            if revision != former || Instant::now() > patience {
                return revision;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The form of the page, as a browser would send it.
    fn form(&self) -> String {
        let page = self.page.get("/").body;
        let token = page.split("name=\"token\" value=\"").nth(1);
        let token = token.and_then(|rest| rest.split('"').next());
        format!("rule=comatrix&token={}", token.expect("there is a form"))
    }
}

#[test]
fn a_form_of_the_page_rolls_a_rule_back_once() {
    let stage = Swapped::start();
    let swapped = stage.revision();
    let mut device = Aiocoap::start(stage.gateway.address);
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "4.05");
    let form = stage.form();
    let response = stage.page.post("/rollback", "localhost", &form);
    assert_eq!(
        (response.status, response.header("location")),
        (303, Some("/")),
        "{response:?}"
    );
    assert_ne!(stage.revision(), swapped);
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "2.05");
    // A second press does not bring back the revision that was rolled back.
    let again = stage.page.post("/rollback", "localhost", &form);
    assert_eq!(again.status, 403, "{again:?}");
    assert_ne!(stage.revision(), swapped);
    let log = stage.gateway.log();
    assert!(
        log.contains("asks for a rollback of rule comatrix"),
        "{log}"
    );
}

#[test]
fn a_page_from_elsewhere_changes_nothing() {
    let stage = Swapped::start();
    let swapped = stage.revision();
    let form = stage.form();
    for (host, form, status) in [
        // A page of another origin can send these: it knows no token.
        ("localhost", "rule=comatrix", 400),
        ("localhost", "rule=comatrix&token=", 403),
        (
            "localhost",
            "rule=comatrix&token=00000000000000000000000000000000",
            403,
        ),
        // One whose own name leads to this machine sees the page and its token, under its own name.
        ("evil.example", form.as_str(), 421),
        ("localhost.evil.example:80", form.as_str(), 421),
        ("192.0.2.1", form.as_str(), 421),
    ] {
        let response = stage.page.post("/rollback", host, form);
        assert_eq!(response.status, status, "{host} {form}: {response:?}");
    }
    for path in [
        "/",
        "/live",
        "/status.json",
        "/metrics",
        "/healthz",
        "/readyz",
    ] {
        let response = stage
            .page
            .send("GET", path, &[("Host", "evil.example")], "");
        assert_eq!(response.status, 421, "{path}");
        assert!(
            !response.body.contains("comatrix"),
            "{path}: {}",
            response.body
        );
    }
    let without = stage.page.send("GET", "/", &[], "");
    assert_eq!(without.status, 421);
    assert_eq!(stage.page.get("/rollback").status, 405);
    let large = format!("{form}&more={}", "x".repeat(5000));
    assert_eq!(
        stage.page.post("/rollback", "localhost", &large).status,
        400
    );
    assert_eq!(stage.revision(), swapped);
    // And the form is as good as before.
    assert_eq!(
        stage.page.post("/rollback", "127.0.0.1:9683", &form).status,
        303
    );
}
