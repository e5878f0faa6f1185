//! The CPU of a `/send` through this rule and through the default rule, in turn at one gateway.

use std::time::Duration;

use super::super::super::Failure;
use super::super::super::datagram::Request;
use super::super::super::load::Load;
use super::super::super::plan::Plan;
use super::super::super::process::{Gateway, Server};
use super::super::super::report::{Row, Target, median, micros, notes};
use super::super::super::window;
use super::super::send::{ACCESS_TOKEN, ROOM};
use super::stage::RULE;

const CLIENTS: usize = 64;

/// CPU per request, with the homeserver at once.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
    let origin = format!("http://{}", homeserver.address);
    let file = gateway.scratch().join("low-bandwidth-send.toml");
    std::fs::write(&file, RULE)?;
    let server = gateway.start_with(&origin, &["--config".as_ref(), file.as_os_str()])?;
    let requests = [
        Request::send_with_keys(ROOM, ACCESS_TOKEN),
        Request::send(&origin, ROOM, ACCESS_TOKEN),
    ];
    let mut windows = [Vec::new(), Vec::new()];
    for pair in 0..plan.pairs {
        for turn in [pair % 2, (pair + 1) % 2] {
            let mut load = Load::new(server.address)?;
            let request = std::slice::from_ref(&requests[turn]);
            load.add(CLIENTS, request, None, Duration::ZERO)?;
            windows[turn].extend(window::measure(&mut load, &server, plan)?);
        }
    }
    let [with_keys, default] = windows;
    let ratios = with_keys
        .iter()
        .zip(&default)
        .map(|(one, other)| one.cpu.as_secs_f64() / other.cpu.as_secs_f64());
    let cpu = |windows: &[window::Window]| median(windows.iter().map(|one| micros(one.cpu)));
    Ok(vec![Row {
        name: "low bandwidth: `/send`, instant homeserver, 64 clients: CPU per request".to_owned(),
        figure: cpu(&with_keys),
        unit: "µs",
        baseline: Some(("default rule", cpu(&default))),
        ratio: Some(median(ratios)),
        target: Target::RatioAtMost(1.3),
        runs: with_keys.len(),
        notes: notes(&with_keys),
    }])
}
