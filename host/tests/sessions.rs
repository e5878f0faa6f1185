//! Devices that log in once: the gateway remembers their access token by their name.

use std::time::{Duration, Instant};

use coap::{Message, code, option};

use crate::coaps_stage::{Stage, clients};
use crate::exchange::request;
use crate::oscore_device::Device;
use crate::sessions_homeserver::Homeserver;

/// What a device sends to log in.
fn login_of(user: &str) -> String {
    let user = format!(r#"{{"type":"m.id.user","user":"{user}"}}"#);
    format!(r#"{{"type":"m.login.password","password":"secret","identifier":{user}}}"#)
}

pub fn login(user: &str) -> Message {
    request(code::POST, "login")
        .with_uint_option(option::CONTENT_FORMAT, 50)
        .with_payload(login_of(user))
}

fn text(text: &str) -> Message {
    request(code::PUT, "send/!a:h")
        .with_uint_option(option::CONTENT_FORMAT, 0)
        .with_payload(text)
}

pub fn said(user: &str, text: &str) -> (String, String) {
    (user.to_owned(), text.to_owned())
}

/// A gateway before this homeserver, and an OSCORE device that has logged in.
fn logged_in(test: &str, homeserver: &Homeserver) -> (Stage, Device) {
    let stage = Stage::start_before(homeserver.stub(), test, "");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (response, is_protected) = kitchen.ask(login("kitchen"));
    assert!(
        is_protected && response.code == code::CHANGED,
        "{response:?}"
    );
    (stage, kitchen)
}

#[test]
fn a_login_lasts_over_new_handshakes_a_restart_and_a_change_to_oscore_until_the_logout() {
    let homeserver = Homeserver::default();
    let stage = Stage::start_before(homeserver.stub(), "sessions-story", "");
    let kitchen = stage.enrol(&["add", "kitchen", "--psk"]);
    let client = clients().next().expect("libcoap3-bin is installed");
    let json = ["-m", "post", "-t", "50", "-e", &login_of("kitchen")];
    kitchen.ask(client, "login", &json);
    let send = |kitchen: &crate::coaps_stage::Enrolled, client: &str, text: &str| {
        kitchen.ask(client, "send/!a:h", &["-m", "put", "-t", "0", "-e", text])
    };
    // Each client run shakes hands from another port.
    for client in clients() {
        send(&kitchen, client, "the kettle is on now");
    }
    let before = clients().count();
    let (code, shown) = stage.devices(&["show", "kitchen"]);
    assert!(
        code == 0 && shown.contains("logged in as @kitchen:h at http://127.0.0.1:"),
        "{shown}"
    );
    assert!(!shown.contains("syt_"), "{shown}");
    let (stage, _) = stage.restart();
    let (port, key) = (kitchen.port, kitchen.key.clone());
    let (_, list) = stage.devices(&["list"]);
    assert!(list.contains("kitchen  pre-shared key"), "{list}");
    // It has become an OSCORE device: the key is void.
    let (mut kitchen, _) = Device::enrol(&stage, &["rotate", "kitchen", "--oscore"]);
    let former = crate::coaps_stage::Enrolled {
        name: "kitchen".to_owned(),
        key,
        port,
    };
    assert!(!former.tells_time(client), "the former key is void");
    let (response, _) = kitchen.ask_again(text("now by OSCORE"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    let mut expected = vec![said("@kitchen:h", "the kettle is on now"); before];
    expected.push(said("@kitchen:h", "now by OSCORE"));
    assert_eq!(homeserver.messages(), expected);
    let (response, _) = kitchen.ask(request(code::POST, "logout"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    let calls = stage.stub.received().len();
    let (response, _) = kitchen.ask(text("after the logout"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    assert_eq!(
        stage.stub.received().len(),
        calls,
        "no homeserver was asked"
    );
    let (_, log) = stage.restart();
    assert!(!log.contains("syt_"), "no token is logged: {log}");
}

#[test]
fn another_device_and_a_plain_one_at_the_same_address_do_not_get_a_session() {
    let homeserver = Homeserver::default();
    let (mut stage, mut kitchen) = logged_in("sessions-stolen", &homeserver);
    // All of them have one socket, and so one address and port.
    let (mut roof, _) = Device::enrol(&stage, &["add", "roof", "--oscore"]);
    for message in [
        text("of the roof"),
        request(code::GET, "getmsg/!a:h"),
        request(code::POST, "logout"),
    ] {
        let (response, is_protected) = roof.ask(message.clone());
        assert!(
            is_protected && response.code == code::UNAUTHORIZED,
            "{response:?}"
        );
        let response = stage.running.exchange(message);
        assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    }
    let (response, _) = roof.ask(login("roof"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    for (device, text_of) in [(&mut roof, "of the roof"), (&mut kitchen, "of the kitchen")] {
        let (response, _) = device.ask(text(text_of));
        assert_eq!(response.code, code::CHANGED, "{response:?}");
    }
    let expected = [
        said("@roof:h", "of the roof"),
        said("@kitchen:h", "of the kitchen"),
    ];
    assert_eq!(homeserver.messages(), expected);
    // A plain device that logs in has to send its token, as ever.
    let response = stage.running.exchange(login("shed"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    let response = stage.running.exchange(text("of the shed"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
}

#[test]
fn a_token_that_the_homeserver_refuses_ends_its_session_and_the_device_logs_in_again() {
    let homeserver = Homeserver::default();
    let (stage, mut kitchen) = logged_in("sessions-refused", &homeserver);
    homeserver.end_all_tokens();
    let calls = || stage.stub.received().len();
    let before = calls();
    for asked in [1, 0, 0] {
        let before = calls();
        let (response, _) = kitchen.ask(text("refused"));
        assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
        assert_eq!(calls() - before, asked, "the homeserver is asked once");
    }
    assert_eq!(calls() - before, 1);
    let (_, shown) = stage.devices(&["show", "kitchen"]);
    assert!(!shown.contains("logged in"), "{shown}");
    kitchen.ask(login("kitchen"));
    let (response, _) = kitchen.ask(text("again"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    assert_eq!(homeserver.messages(), [said("@kitchen:h", "again")]);
}

#[test]
fn a_token_that_a_device_sends_is_used_in_place_of_its_session() {
    let homeserver = Homeserver::default();
    let (mut stage, mut kitchen) = logged_in("sessions-own-token", &homeserver);
    assert_eq!(stage.running.exchange(login("guest")).code, code::CHANGED);
    let as_guest = |message: Message| message.with_option(option::ACCESS_TOKEN, "syt_2");
    kitchen.ask(as_guest(text("of the guest")));
    kitchen.ask(text("of the kitchen"));
    // The guest logs out: the session of the device has another token, and stays.
    let (response, _) = kitchen.ask(as_guest(request(code::POST, "logout")));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    let (response, _) = kitchen.ask(as_guest(text("refused")));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    kitchen.ask(text("and again"));
    let expected = [
        said("@guest:h", "of the guest"),
        said("@kitchen:h", "of the kitchen"),
        said("@kitchen:h", "and again"),
    ];
    assert_eq!(homeserver.messages(), expected);
}

#[test]
fn a_removed_device_takes_its_login_along() {
    let homeserver = Homeserver::default();
    let (stage, _) = logged_in("sessions-removed", &homeserver);
    let (code, said) = stage.devices(&["remove", "kitchen"]);
    assert!(code == 0 && said.contains("logins forgotten"), "{said}");
    let (mut another, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (response, _) = another.ask(text("of another device"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    let (stage, _) = stage.restart();
    another.move_to(&stage);
    let (response, _) = another.ask_again(text("of another device"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    assert_eq!(homeserver.messages(), []);
}

#[test]
fn the_homeserver_of_a_device_is_that_of_its_last_login() {
    let (default, other) = (Homeserver::default(), Homeserver::default());
    let other_stub = other.stub();
    let configuration = "allow_any_homeserver = true\n";
    let stage = Stage::start_before(default.stub(), "sessions-two", configuration);
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    // The other one is configured from now on.
    let file = format!(
        "[[homeserver]]\nurl = \"{}\"\n[[homeserver]]\nurl = \"{}\"\n",
        stage.stub.url(),
        other_stub.url()
    );
    std::fs::write(stage.running.folder.join("gateway.toml"), file).expect("it is the test's");
    let stage = stage.restart_configured();
    kitchen.move_to(&stage);
    let proxied = Message::new(code::POST)
        .with_option(option::PROXY_URI, format!("{}1", other_stub.url()))
        .with_uint_option(option::CONTENT_FORMAT, 50)
        .with_payload(login_of("kitchen"));
    let (response, _) = kitchen.ask_again(proxied);
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    kitchen.ask(text("to the other"));
    assert_eq!(other.messages(), [said("@kitchen:h", "to the other")]);
    // A password goes where it went without a session.
    let before = other_stub.received().len();
    kitchen.ask(login("kitchen"));
    assert_eq!(other_stub.received().len(), before);
    kitchen.ask(text("to the default one"));
    assert_eq!(
        default.messages(),
        [said("@kitchen:h", "to the default one")]
    );
    // Its session at the other one is there for requests that name it.
    let logout =
        Message::new(code::POST).with_option(option::PROXY_URI, format!("{}3", other_stub.url()));
    assert_eq!(kitchen.ask(logout.clone()).0.code, code::CHANGED);
    assert_eq!(kitchen.ask(logout).0.code, code::UNAUTHORIZED);
    kitchen.ask(text("still there"));
    assert_eq!(default.messages().len(), 2);
}

#[test]
fn a_message_accepted_under_a_session_goes_on_when_the_device_has_logged_in_again() {
    let homeserver = Homeserver::default();
    let (stage, mut kitchen) = logged_in("sessions-outbox", &homeserver);
    homeserver.set_away(true);
    let (response, _) = kitchen.ask(text("waits"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    homeserver.end_all_tokens();
    let (stage, _) = stage.restart();
    kitchen.move_to(&stage);
    homeserver.set_away(false);
    // The gateway finds out on its own that the session has ended.
    until(|| !stage.devices(&["show", "kitchen"]).1.contains("logged in"));
    let (response, _) = kitchen.ask_again(text("after it"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    let (response, _) = kitchen.ask(login("kitchen"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    until(|| homeserver.messages() == [said("@kitchen:h", "waits")]);
}

#[test]
fn a_login_of_before_a_restart_sets_messages_going_that_wait_for_it() {
    let homeserver = Homeserver::default();
    let (stage, mut kitchen) = logged_in("sessions-outbox-restart", &homeserver);
    homeserver.set_away(true);
    let (response, _) = kitchen.ask(text("waits"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    homeserver.end_all_tokens();
    let (response, _) = kitchen.ask(login("kitchen"));
    assert_eq!(response.code, code::CHANGED, "{response:?}");
    // The message has the former token, and the next gateway has not seen that the user has another one.
    let (_stage, _) = stage.restart();
    homeserver.set_away(false);
    until(|| homeserver.messages() == [said("@kitchen:h", "waits")]);
}

fn until(mut is_met: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_met() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it does not come"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
