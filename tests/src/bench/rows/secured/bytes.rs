//! Bytes on the wire: what protection adds to a message, and a whole exchange of a device with a session.

use coap::{Message, code, option};

use super::super::super::Failure;
use super::super::super::device::{Device, Protection};
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target};
use super::stage::{Stage, kid, psk};

/// What a device that logs in sends (Matrix client-server API, `POST /login`).
const LOGIN: &str = r#"{"type":"m.login.password","password":"p","identifier":{"type":"m.id.user","user":"bench"}}"#;
/// 20 bytes.
const TEXT: &str = "the kettle is on now";

/// UDP payload bytes, which no machine changes.
pub fn measure(gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let stage = Stage::start(gateway)?;
    stage.enrol_psk(1)?;
    stage.enrol_oscore(1)?;
    let mut rows = Vec::new();
    for (name, at, protection, most) in [
        ("CCM_8", stage.coaps, Protection::session(&psk(0))?, 29.0),
        (
            "OSCORE, 2-byte kid",
            stage.server.address,
            Protection::oscore(kid(0))?,
            16.0,
        ),
    ] {
        let mut device = Device::new(0, at, protection)?;
        device.connect()?;
        let login = Message::new(code::POST)
            .with_option(option::URI_PATH, "login")
            .with_uint_option(option::CONTENT_FORMAT, 50)
            .with_payload(LOGIN);
        expect(&device.ask(&login)?.response)?;
        let send = Message::new(code::PUT)
            .with_option(option::URI_PATH, "send")
            .with_option(option::URI_PATH, "kitchen")
            .with_uint_option(option::CONTENT_FORMAT, 0)
            // The event ID alone.
            .with_uint_option(option::ACCEPT, 0)
            .with_payload(TEXT);
        // The room's first message may take longer than an acknowledgement.
        expect(&device.ask(&send)?.response)?;
        let sent = device.ask(&send)?;
        expect(&sent.response)?;
        let (plain, secured) = sent.request;
        let row = |name: String, bytes: usize, target: Target, notes: String| Row {
            name,
            figure: bytes as f64,
            unit: "B",
            baseline: None,
            ratio: None,
            target,
            runs: 1,
            notes,
        };
        rows.push(row(
            format!("bytes that {name} adds to a request"),
            secured.saturating_sub(plain),
            Target::AtMost(most),
            format!("{plain} B without"),
        ));
        let target = match at == stage.coaps {
            true => Target::None,
            false => Target::AtMost(120.0),
        };
        rows.push(row(
            format!(
                "`/send/kitchen` of {} bytes with a session, {name}: both ways",
                TEXT.len()
            ),
            sent.bytes,
            target,
            format!(
                "{secured} B of it are the request; Accept 0: the event ID of 44 characters alone"
            ),
        ));
    }
    Ok(rows)
}

/// A device that is refused measures nothing.
fn expect(response: &Message) -> Result<(), Failure> {
    match response.code {
        code::CHANGED => Ok(()),
        other => {
            let text = String::from_utf8_lossy(&response.payload).into_owned();
            Err(format!("{} instead of 2.04: {text}", code::Dotted(other)).into())
        }
    }
}
