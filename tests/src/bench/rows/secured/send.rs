//! `/send` to an instant homeserver: plain, over `coaps`, and over OSCORE, in turn at one gateway.

use std::time::Duration;

use coap::{Message, code, option};

use super::super::super::Failure;
use super::super::super::datagram::Request;
use super::super::super::device::{Device, Protection};
use super::super::super::load::Load;
use super::super::super::plan::Plan;
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target, median, micros, notes};
use super::super::super::window::{self, Window};
use super::super::send::{ACCESS_TOKEN, ROOM};
use super::stage::{Stage, kid, psk};

const DEVICES: usize = 64;

/// Requests per second and CPU per request of 64 devices.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let stage = Stage::start(gateway)?;
    stage.enrol_psk(DEVICES)?;
    // Each turn has contexts of its own: a device that begins again would use its numbers twice.
    stage.enrol_oscore(DEVICES * plan.pairs)?;
    let (mut plain, mut dtls, mut oscore) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..plan.pairs {
        plain.push(one(&stage, plan, |_| Ok(None))?);
        dtls.push(one(&stage, plan, |number| {
            Protection::session(&psk(number)).map(Some)
        })?);
        oscore.push(one(&stage, plan, |number| {
            Protection::oscore(kid(turn * DEVICES + number)).map(Some)
        })?);
    }
    let mut rows = rows("`coaps` with a key", &dtls, &plain);
    rows.extend(self::rows("OSCORE", &oscore, &plain));
    Ok(rows)
}

/// One measurement with devices of its own.
fn one(
    stage: &Stage,
    plan: &Plan,
    protection: impl Fn(usize) -> Result<Option<Protection>, Failure>,
) -> Result<Window, Failure> {
    let request = Request::send(&stage.origin, ROOM, ACCESS_TOKEN);
    let mut load = Load::new(stage.server.address)?;
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        let Some(protection) = protection(number)? else {
            continue;
        };
        let at = match protection {
            Protection::Session(..) => stage.coaps,
            _ => stage.server.address,
        };
        let mut device = Device::new(number, at, protection)?;
        device.connect()?;
        // Its replay window is open afterwards.
        device.ask(&Message::new(code::GET).with_option(option::URI_PATH, "time"))?;
        devices.push(device);
    }
    if devices.is_empty() {
        load.add(DEVICES, &[request], None, Duration::ZERO)?;
    } else {
        load.add_devices(devices, &request)?;
    }
    let mut windows = window::measure(&mut load, &stage.server, plan)?;
    windows.pop().ok_or_else(|| "a load without clients".into())
}

fn rows(name: &str, secured: &[Window], plain: &[Window]) -> Vec<Row> {
    let rate = |windows: &[Window]| median(windows.iter().map(|window| window.rate));
    let cpu = |windows: &[Window]| median(windows.iter().map(|window| micros(window.cpu)));
    let pairs = || secured.iter().zip(plain);
    vec![
        Row {
            name: format!("`/send` over {name}, {DEVICES} devices: requests"),
            figure: rate(secured),
            unit: "/s",
            baseline: Some(("plain", rate(plain))),
            ratio: Some(median(pairs().map(|(one, plain)| one.rate / plain.rate))),
            target: Target::AtLeast(12_000.0),
            runs: secured.len(),
            notes: notes(secured),
        },
        Row {
            name: format!("`/send` over {name}, {DEVICES} devices: CPU per request"),
            figure: cpu(secured),
            unit: "µs",
            baseline: Some(("plain", cpu(plain))),
            ratio: Some(median(
                pairs().map(|(one, plain)| micros(one.cpu) / micros(plain.cpu)),
            )),
            target: Target::AtMost(120.0),
            runs: secured.len(),
            notes: String::new(),
        },
    ]
}
