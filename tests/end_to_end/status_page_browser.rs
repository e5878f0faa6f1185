//! The status page in a browser, at the width of a telephone and of a desktop. Pictures of it are left in
//! `target/status-page`.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::browser::Browser;
use comatrix_tests::device::Request;
use comatrix_tests::places;

use crate::status_page_forms::Swapped;

/// Name, width and height, whether it is a telephone, and the operator's taste.
const WINDOWS: [(&str, u32, u32, bool, &str); 4] = [
    ("telephone", 390, 844, true, "light"),
    ("telephone-dark", 390, 844, true, "dark"),
    ("desktop", 1280, 900, false, "light"),
    ("desktop-dark", 1280, 900, false, "dark"),
];

#[test]
fn the_page_shows_new_requests_by_itself_and_fits_every_window() {
    let stage = Swapped::start();
    let browser = Browser::start(true);
    let mut device = Aiocoap::start(stage.gateway.address);
    for (name, width, height, is_phone, taste) in WINDOWS {
        browser.resize(width, height, is_phone);
        browser.colours(taste);
        browser.open(&stage.page.url());
        browser.wait_for("#pulse", "live");
        browser.value("window.loadedOnce = true");
        let before = browser.value("document.querySelector('#numbers b').innerText");
        let path = format!("/nothing/{name}/!secret-room:localhost");
        assert_eq!(device.request(&Request::new("GET", &path)).code, "4.04");
        let before: u64 = before
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a number");
        browser.wait_for("#numbers .number", &(before + 1).to_string());
        browser.wait_for("#requests", "4.04");
        browser.wait_for("#devices", "127.0.0.1");
        assert_eq!(
            browser.value("window.loadedOnce"),
            true,
            "it was loaded again"
        );
        assert!(!browser.text("body").contains("secret-room"));
        let wide = browser.value("document.documentElement.scrollWidth - window.innerWidth");
        assert!(
            wide.as_i64().is_some_and(|wide| wide <= 0),
            "{name}: {wide} too wide"
        );
        charts_are_drawn(&browser, name);
        let picture = places::workspace().join(format!("target/status-page/{name}.png"));
        browser.picture(&picture);
    }
    let dark = browser.value("getComputedStyle(document.body).backgroundColor");
    assert_eq!(dark, "rgb(16, 21, 27)");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The classes of all lines of the charts.
const LINES: &str = "[...document.querySelectorAll('#charts path.line')]";

/// Each chart has lines in a colour that is not the background's, and lies within the window.
fn charts_are_drawn(browser: &Browser, window: &str) {
    let outside = browser.value(
        "[...document.querySelectorAll('#charts svg')].map((chart) => chart.getBoundingClientRect())
            .filter((box) => box.width < 100 || box.height < 40 || box.left < 0 || box.right > innerWidth).length",
    );
    assert_eq!(outside, 0, "{window}: charts are not within the window");
    assert_eq!(
        browser.value("document.querySelectorAll('#charts svg').length"),
        5
    );
    assert_eq!(browser.value(&format!("{LINES}.length")), 6, "{window}");
    let of_background = format!(
        "{LINES}.filter((line) => getComputedStyle(line).stroke
            === getComputedStyle(document.querySelector('#charts')).backgroundColor).length"
    );
    assert_eq!(browser.value(&of_background), 0, "{window}");
    // Requests were made, so every chart has a value.
    let empty = format!("{LINES}.filter((line) => !line.getAttribute('d')).length");
    assert_eq!(browser.value(&empty), 0, "{window}: a line without a value");
}

#[test]
fn an_operator_rolls_a_rule_back_with_the_button() {
    let stage = Swapped::start();
    let swapped = stage.revision();
    let browser = Browser::start(true);
    browser.resize(390, 844, true);
    browser.open(&stage.page.url());
    browser.wait_for("#pulse", "live");
    browser.wait_for("#rules code[title]", &swapped[..12]);
    browser.click("#rules summary");
    // It stays open while the page continues to update.
    let mut device = Aiocoap::start(stage.gateway.address);
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "4.05");
    browser.wait_for("#requests", "4.05");
    browser.click("#rules button");
    let revision = stage.revision_after(&swapped);
    assert_ne!(revision, swapped);
    browser.wait_for("#rules code[title]", &revision[..12]);
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "2.05");
    browser.wait_for("#requests", "/time");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn without_scripts_the_page_is_complete_but_does_not_update() {
    let stage = Swapped::start();
    let swapped = stage.revision();
    let mut device = Aiocoap::start(stage.gateway.address);
    assert_eq!(device.request(&Request::new("GET", "/time")).code, "4.05");
    let browser = Browser::start(false);
    browser.open(&stage.page.url());
    assert_eq!(browser.text("#pulse"), "reload the page to update it");
    for (part, shown) in [
        ("#state", "ready"),
        ("#rules", "comatrix"),
        ("#homeservers", stage.stub.origin.as_str()),
        ("#requests", "4.05"),
        ("#devices", "127.0.0.1"),
        ("#warnings", "None"),
        ("#charts", "requests per second"),
        ("#charts", "messages waiting"),
        ("#outbox", "0 of 20,000"),
        ("#limits-and-faults", "None since"),
    ] {
        let text = browser.text(part);
        assert!(text.contains(shown), "{shown:?} is not in {part}: {text}");
    }
    charts_are_drawn(&browser, "without scripts");
    browser.click("#rules summary");
    browser.click("#rules button");
    assert_ne!(stage.revision_after(&swapped), swapped);
    let text = browser.text("#rules");
    assert!(text.contains(&stage.revision()[..12]), "{text}");
}
