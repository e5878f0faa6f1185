//! libcoap's client with its own OSCORE.

use std::path::PathBuf;

use comatrix_tests::device::{JSON, Request, Response, TEXT};
use comatrix_tests::libcoap;
use comatrix_tests::places;
use comatrix_tests::wire::Loss;
use serde_json::json;

use super::libcoap_observer;
use super::stage::{LOSSY, Stage, long_text};

/// A device whose security context is in a file, and its sender sequence number in another one.
struct Device {
    program: PathBuf,
    gateway: String,
    context: String,
}

impl Device {
    fn on(stage: &Stage) -> Self {
        let of = |part| stage.context(part);
        let lines = format!(
            "master_secret,hex,\"{}\"\nmaster_salt,hex,\"{}\"\nsender_id,hex,\"{}\"\nrecipient_id,hex,\"{}\"\n\
             replay_window,integer,32\naead_alg,integer,10\nhkdf_alg,integer,-10\n",
            of("secret"),
            of("salt"),
            of("sender_id"),
            of("recipient_id")
        );
        let file = stage.scratch.write("kitchen.oscore", &lines);
        let numbers = stage.scratch.path().join("kitchen.seq");
        Self {
            program: places::libcoap_with_oscore(),
            gateway: format!("coap://{}", stage.address()),
            context: format!("{},{}", file.display(), numbers.display()),
        }
    }

    /// One exchange, by a process of its own.
    fn request(&self, request: &Request, more: &[&str]) -> Response {
        let own = ["-E", &self.context, "-B", "100"];
        libcoap::request_by(
            &self.program,
            &self.gateway,
            request,
            &[&own[..], more].concat(),
        )
    }
}

/// After its login the device sends no token.
fn story(loss: Loss) {
    let stage = Stage::start("--oscore", loss);
    let device = Device::on(&stage);
    let time = device.request(&Request::new("GET", "/time"), &[]);
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let room = &stage.room;
    let body = long_text("by libcoap with OSCORE");
    let send =
        Request::new("PUT", &format!("/send/{}", room.room_id)).bytes(body.as_bytes(), Some(TEXT));
    let blocks = ["-b", "64"];
    let refused = device.request(&send, &blocks);
    assert_eq!(refused.code, "4.01", "nobody has logged in: {refused:?}");
    let login = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": room.device.name },
        "password": room.device.password,
    });
    let login = Request::new("POST", "/login").bytes(login.to_string().as_bytes(), Some(JSON));
    let logged_in = device.request(&login, &blocks);
    assert_eq!(logged_in.code, "2.04", "{logged_in:?}");
    let sent = device.request(&send, &blocks);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    stage.assert_arrived_once(&body);
    let getmsg = Request::new("GET", &format!("/getmsg/{}", room.room_id)).accept(TEXT);
    let read = device.request(&getmsg, &[]);
    assert_eq!((read.code.as_str(), read.text()), ("2.05", body.clone()));
    let own = ["-E", &device.context];
    libcoap_observer::observes(&stage, &device.program, &device.gateway, &own, &body);
    for path in ["path=/time", "path=/login", "path=/send/", "path=/getmsg/"] {
        stage.assert_named(path);
    }
    stage.assert_protected("by libcoap");
}

#[test]
fn libcoap_with_oscore_logs_in_sends_reads_and_observes() {
    story(Loss::NOTHING);
}

#[test]
fn libcoap_with_oscore_logs_in_sends_reads_and_observes_with_one_datagram_in_five_lost() {
    story(LOSSY);
}
