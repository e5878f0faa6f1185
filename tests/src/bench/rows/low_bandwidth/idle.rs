//! An account with 50 rooms: its first sync, and a minute in which nothing happens.

use std::time::Duration;

use comatrix_tests::device::Request;
use comatrix_tests::low_bandwidth::Device;
use comatrix_tests::matrix::Account;
use comatrix_tests::observer::Observer;
use comatrix_tests::wire::Wire;
use serde_json::json;

use super::super::super::Failure;
use super::super::super::device::{Device as Bare, Protection};
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target};
use super::super::secured::stage::psk;
use super::stage::Stage;

const ROOMS: usize = 50;
/// What a homeserver holds a poll for: clients ask for as long.
const HOLD_MS: u64 = 30_000;
const MINUTE: Duration = Duration::from_secs(60);
/// For the first response of an observation, in blocks.
const PATIENCE: Duration = Duration::from_secs(60);
/// One datagram: the proposal's authors measured 88 bytes.
const HEARTBEAT: f64 = 60.0;

/// Three rows.
pub fn measure(gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let stage = Stage::start(gateway)?;
    let account = stage.account_in_rooms(ROOMS);
    let (heartbeat, answer) = heartbeat(&stage)?;
    let (first, quiet) = over_coaps(&stage, &account)?;
    let http = by_http(&stage, &account, false);
    let compressed = by_http(&stage, &account, true);
    let row = |name: String, coaps: usize, http: usize, most: f64, notes: String| Row {
        name,
        figure: coaps as f64,
        unit: "B",
        baseline: Some(("HTTP", http as f64)),
        ratio: Some(coaps as f64 / http as f64),
        target: Target::RatioAtMost(most),
        runs: 1,
        notes,
    };
    Ok(vec![
        row(
            format!("low bandwidth: first sync of {ROOMS} rooms"),
            first,
            http.0,
            1.0 / 3.0,
            format!("HTTP with gzip {} B", compressed.0),
        ),
        row(
            format!("low bandwidth: an idle minute with {ROOMS} rooms"),
            quiet + heartbeat + answer,
            http.1,
            0.1,
            format!(
                "observed, with one heartbeat; HTTP: two long polls, with gzip {} B",
                compressed.1
            ),
        ),
        Row {
            name: "low bandwidth: a heartbeat, with a session".to_owned(),
            figure: heartbeat as f64,
            unit: "B",
            baseline: Some(("the proposal's authors", 88.0)),
            ratio: None,
            target: Target::AtMost(HEARTBEAT),
            runs: 1,
            notes: format!("a CoAP ping; {answer} B back"),
        },
    ])
}

/// Bytes of the first response to an observed sync, and of a minute after it.
fn over_coaps(stage: &Stage, account: &Account) -> Result<(usize, usize), Failure> {
    let uri = format!("coaps://{}", stage.coaps.address);
    let sync = Request::new("GET", "/7")
        .token(&account.access_token)
        .option(257, &[1]);
    let before = passed(&stage.coaps);
    let observer = Observer::start_with(&uri, Some(&stage.credentials), &sync);
    let first = observer.next(PATIENCE).ok_or("no response to a sync")?;
    if first.code != "2.05" {
        return Err(format!("{} {}", first.code, first.text()).into());
    }
    std::thread::sleep(Duration::from_secs(1));
    let arrived = passed(&stage.coaps);
    std::thread::sleep(MINUTE);
    Ok((arrived - before, passed(&stage.coaps) - arrived))
}

fn passed(wire: &Wire) -> usize {
    let passing = wire.passing();
    passing.iter().map(|datagram| datagram.bytes.len()).sum()
}

/// The same by curl: the first sync, and a minute of long polls.
fn by_http(stage: &Stage, account: &Account, compressed: bool) -> (usize, usize) {
    let mut device = Device::by_curl(&account.name, &stage.synapse.origin, compressed);
    let login = json!({ "password": account.password });
    device.nio().expect("login", login, "LoginResponse");
    let mut sync = |timeout: u64| {
        let arguments = json!({ "timeout": timeout });
        let answer = device.nio().expect("sync", arguments, "SyncResponse");
        answer.http_bytes
    };
    let first = sync(0);
    // What the login itself has changed comes with the next one.
    sync(0);
    (first, sync(HOLD_MS) + sync(HOLD_MS))
}

/// Bytes of a ping (RFC 7252 §4.3) and of the RST that responds to it.
fn heartbeat(stage: &Stage) -> Result<(usize, usize), Failure> {
    let session = Protection::session(&psk(0))?;
    let mut device = Bare::new(1, stage.secured.coaps, session)?;
    device.connect()?;
    let mut sent = 0;
    for datagram in device.protection.outgoing(&[0x40, 0, 0x7f, 1])? {
        sent += device.socket.send(&datagram)?;
    }
    let mut buffer = [0; 2048];
    loop {
        let length = device.socket.recv(&mut buffer)?;
        let received = device.protection.incoming(&buffer[..length])?;
        if received.is_some_and(|message| message[..] == [0x70, 0, 0x7f, 1]) {
            return Ok((sent, length));
        }
    }
}
