//! The bytes of each step of a device's day: over coaps and plain CoAP, and by curl over a kept connection of HTTP/1.1,
//! also compressed.

use comatrix_tests::low_bandwidth::{Device, Step, Story};

use super::super::super::Failure;
use super::super::super::process::Gateway;
use super::super::super::report::{Row, Target};
use super::stage::Stage;

/// The step with a target of its own.
const SEND: &str = "send";
/// Of a datagram of that step: the authors of MSC3079 measured 180 bytes for a message and 150 for its answer.
const LARGEST: f64 = 150.0;

/// A row per step, and the largest datagram of a message and its answer.
pub fn measure(gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let stage = Stage::start(gateway)?;
    let origin = &stage.synapse.origin;
    let coaps = day(&stage, |user| {
        Device::over_coap(user, &stage.coaps, Some(&stage.credentials))
    });
    let plain = day(&stage, |user| Device::over_coap(user, &stage.plain, None));
    let http = day(&stage, |user| Device::by_curl(user, origin, false));
    let compressed = day(&stage, |user| Device::by_curl(user, origin, true));
    let mut rows = Vec::new();
    for (((coaps, plain), http), compressed) in coaps.iter().zip(&plain).zip(&http).zip(&compressed)
    {
        let of = |other: &Step| coaps.bytes as f64 / other.bytes as f64;
        rows.push(Row {
            name: format!("low bandwidth: {}", coaps.name),
            figure: coaps.bytes as f64,
            unit: "B",
            baseline: Some(("HTTP", http.bytes as f64)),
            ratio: Some(of(http)),
            target: Target::None,
            runs: 1,
            notes: format!(
                "plain CoAP {} B; HTTP with gzip {} B",
                plain.bytes, compressed.bytes
            ),
        });
    }
    let send = coaps.iter().find(|step| step.name == SEND);
    let send = send.ok_or("the story sends nothing")?;
    rows.push(Row {
        name: "low bandwidth: the larger one of a message and its answer, with a session"
            .to_owned(),
        figure: send.largest as f64,
        unit: "B",
        baseline: Some(("the proposal's authors", 180.0)),
        ratio: None,
        target: Target::AtMost(LARGEST),
        runs: 1,
        notes: format!("{} B both ways", send.bytes),
    });
    Ok(rows)
}

/// The steps of a day of an account of its own.
fn day(stage: &Stage, device: impl Fn(&str) -> Device) -> Vec<Step> {
    let mut story = Story::on(&stage.homeserver());
    let mut device = device(&story.account.name);
    story.tell(&mut device);
    device.steps().to_vec()
}
