//! `/time`: the cost of an exchange that needs no homeserver, beside that of a bare UDP echo.

use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{self, Figures2021, Row, Target, median, micros, millis, notes};
use super::super::window::{self, Window};

/// Nobody listens there (RFC 863's port): `/time` calls no homeserver.
const NO_HOMESERVER: &str = "http://127.0.0.1:9";

/// Requests per second and CPU time per request at 1, 64 and 256 clients.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    // One client alone asks faster than the gateway lets one address.
    let path = gateway.scratch().join("time.toml");
    std::fs::write(&path, "[limits]\ndatagrams_per_second_per_peer = 0\n")?;
    let gateway = gateway.start_with(NO_HOMESERVER, &["--config".as_ref(), path.as_os_str()])?;
    let echo = Server::start_self(&["--echo-server"])?;
    let mut rows = Vec::new();
    for clients in [1, 64, 256] {
        let mut responses = Vec::new();
        let mut echoes = Vec::new();
        for pair in 0..plan.pairs {
            // The order alternates, so that neither side always finds the warmer machine.
            if pair % 2 == 0 {
                echoes.push(one(&echo, &Request::echo(), clients, plan)?);
                responses.push(one(&gateway, &Request::time(), clients, plan)?);
            } else {
                responses.push(one(&gateway, &Request::time(), clients, plan)?);
                echoes.push(one(&echo, &Request::echo(), clients, plan)?);
            }
        }
        rows.extend(compare(clients, &responses, &echoes));
    }
    Ok(rows)
}

/// One measurement with sockets of its own.
fn one(server: &Server, request: &Request, clients: usize, plan: &Plan) -> Result<Window, Failure> {
    let mut load = Load::new(server.address)?;
    load.add(clients, std::slice::from_ref(request), None, Duration::ZERO)?;
    let mut windows = window::measure(&mut load, server, plan)?;
    windows.pop().ok_or_else(|| "a load without clients".into())
}

fn compare(clients: usize, responses: &[Window], echoes: &[Window]) -> [Row; 3] {
    let rate = median(responses.iter().map(|window| window.rate));
    let echo_rate = median(echoes.iter().map(|window| window.rate));
    let baseline = Figures2021::time_rate(clients);
    let cpu = |windows: &[Window]| median(windows.iter().map(|window| micros(window.cpu)));
    let ratios = responses
        .iter()
        .zip(echoes)
        .map(|(response, echo)| response.cpu.as_secs_f64() / echo.cpu.as_secs_f64());
    let p99 = |windows: &[Window]| median(windows.iter().map(|window| millis(window.p99)));
    // The targets stand for 64 clients; the other rows show how the gateway scales.
    let target = |target| if clients == 64 { target } else { Target::None };
    [
        Row {
            name: format!("`/time`, {}: requests", report::clients(clients)),
            figure: rate,
            unit: "/s",
            baseline: Some(("2021", baseline)),
            ratio: Some(rate / baseline),
            target: target(Target::RatioAtLeast(10.0)),
            runs: responses.len(),
            notes: format!("{}; echo {echo_rate:.0}/s", notes(responses)),
        },
        Row {
            name: format!("`/time`, {}: CPU per request", report::clients(clients)),
            figure: cpu(responses),
            unit: "µs",
            baseline: Some(("UDP echo", cpu(echoes))),
            ratio: Some(median(ratios)),
            target: target(Target::RatioAtMost(2.5)),
            runs: responses.len(),
            notes: "median of the pairs' ratios".to_owned(),
        },
        Row {
            name: format!("`/time`, {}: p99", report::clients(clients)),
            figure: p99(responses),
            unit: "ms",
            baseline: Some(("UDP echo", p99(echoes))),
            ratio: Some(p99(responses) / p99(echoes)),
            target: target(Target::RatioAtMost(10.0)),
            runs: responses.len(),
            notes: String::new(),
        },
    ]
}
