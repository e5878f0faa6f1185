//! `/send` to a homeserver that takes 200 ms: waiting must cost nothing, and nobody else may wait with it.

use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Figures2021, Row, Target, median, micros, millis, notes};
use super::super::window::{self, Window};
use super::send::{ACCESS_TOKEN, ROOM};

const DEVICES: usize = 256;
const DELAY: Duration = Duration::from_millis(200);

/// One `/time` every 5 ms: 200 a second, so that a 99th percentile means something.
const PROBE_PERIOD: Duration = Duration::from_millis(5);

/// Responses per second to 256 devices, their retransmissions, and the latency of another device's `/time` meanwhile.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", &DELAY.as_millis().to_string()])?;
    let origin = format!("http://{}", homeserver.address);
    let gateway = gateway.start(&origin)?;
    let mut sends = Vec::new();
    let mut times = Vec::new();
    for _ in 0..plan.pairs {
        let mut load = Load::new(gateway.address)?;
        let spread = DELAY;
        load.add(
            DEVICES,
            &[Request::send(&origin, ROOM, ACCESS_TOKEN)],
            None,
            spread,
        )?;
        load.add(1, &[Request::time()], Some(PROBE_PERIOD), Duration::ZERO)?;
        let mut windows = window::measure(&mut load, &gateway, plan)?;
        times.extend(windows.pop());
        sends.extend(windows.pop());
    }
    Ok(rows(&sends, &times))
}

fn rows(sends: &[Window], times: &[Window]) -> Vec<Row> {
    let runs = sends.len();
    let rate = median(sends.iter().map(|window| window.rate));
    let retransmissions: u64 = sends
        .iter()
        .chain(times)
        .map(|window| window.retransmissions)
        .sum();
    let limit = DEVICES as f64 / DELAY.as_secs_f64();
    // Of the worst run: one stall in five runs is a stall.
    let p99 = times
        .iter()
        .map(|window| millis(window.p99))
        .fold(f64::NAN, f64::max);
    let cpu = median(sends.iter().map(|window| micros(window.cpu)));
    vec![
        Row {
            name: format!("`/send`, 200 ms homeserver, {DEVICES} devices: responses"),
            figure: rate,
            unit: "/s",
            baseline: Some(("2021", Figures2021::SLOW_SEND_RATE)),
            ratio: Some(rate / Figures2021::SLOW_SEND_RATE),
            target: Target::AtLeast(1000.0),
            runs,
            notes: format!(
                "{}; limit {limit:.0}/s; {cpu:.0} µs CPU per response",
                notes(sends)
            ),
        },
        Row {
            name: "… retransmissions by any client".to_owned(),
            figure: retransmissions as f64,
            unit: "in all",
            baseline: None,
            ratio: None,
            target: Target::AtMost(0.0),
            runs,
            notes: String::new(),
        },
        Row {
            name: "… `/time` of another device meanwhile, p99".to_owned(),
            figure: p99,
            unit: "ms",
            baseline: None,
            ratio: None,
            target: Target::AtMost(20.0),
            runs,
            notes: format!("of the worst run; medians: {}", notes(times)),
        },
    ]
}
