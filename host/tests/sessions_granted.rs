//! Devices with a login and a granted access token of the configuration.

use coap::{code, option};

use crate::coaps_stage::Stage;
use crate::exchange::request;
use crate::oscore_device::Device;
use crate::sessions::{login, said};
use crate::sessions_homeserver::Homeserver;

/// A gateway with an access token that this device may use, and the device, which has logged in.
fn granted(test: &str, homeserver: &Homeserver) -> (Stage, Device) {
    let (stub, folder) = (homeserver.stub(), crate::scratch::folder(test));
    std::fs::write(folder.join("token.txt"), "syt_granted").expect("the folder is the test's");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.join("token.txt"), mode).expect("it is the test's");
    let file = format!(
        "[[homeserver]]\nurl = \"{}\"\naccess_token_file = \"token.txt\"\n[device.kitchen]\ntoken = true\n",
        stub.url()
    );
    let stage = Stage::start_configured(stub, folder, &file);
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    homeserver.add_token("syt_granted", "@farm:h");
    assert_eq!(kitchen.ask(login("kitchen")).0.code, code::CHANGED);
    (stage, kitchen)
}

#[test]
fn a_message_that_a_login_has_sent_does_not_come_again_with_a_granted_token_when_the_login_ends() {
    let homeserver = Homeserver::default();
    let (_stage, mut kitchen) = granted("sessions-granted", &homeserver);
    let numbered = |number: &str| {
        request(code::PUT, &format!("send/!a:h/{number}"))
            .with_uint_option(option::CONTENT_FORMAT, 0)
            .with_payload("the kettle is on")
    };
    assert_eq!(kitchen.ask(numbered("1")).0.code, code::CHANGED);
    // The response is lost. Meanwhile the login ends, as a read shows.
    homeserver.end_all_tokens();
    homeserver.add_token("syt_granted", "@farm:h");
    let (response, _) = kitchen.ask(request(code::GET, "getmsg/!a:h"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    let (response, _) = kitchen.ask(numbered("1"));
    assert_eq!(response.code, code::UNAUTHORIZED, "{response:?}");
    let of_the_login = said("@kitchen:h", "the kettle is on");
    assert_eq!(homeserver.messages(), std::slice::from_ref(&of_the_login));
    // Another message may have the granted token.
    assert_eq!(kitchen.ask(numbered("2")).0.code, code::CHANGED);
    let of_the_grant = said("@farm:h", "the kettle is on");
    assert_eq!(homeserver.messages(), [of_the_login, of_the_grant]);
}

#[test]
fn a_message_that_was_refused_with_the_token_of_a_login_goes_with_the_granted_one() {
    let homeserver = Homeserver::default();
    let (_stage, mut kitchen) = granted("sessions-refused-granted", &homeserver);
    homeserver.end_all_tokens();
    homeserver.add_token("syt_granted", "@farm:h");
    let numbered = || {
        request(code::PUT, "send/!a:h/1")
            .with_uint_option(option::CONTENT_FORMAT, 0)
            .with_payload("the kettle is on")
    };
    assert_eq!(kitchen.ask(numbered()).0.code, code::UNAUTHORIZED);
    assert_eq!(kitchen.ask(numbered()).0.code, code::CHANGED);
    assert_eq!(homeserver.messages(), [said("@farm:h", "the kettle is on")]);
}
