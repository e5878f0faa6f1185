//! `/send` to a homeserver that responds at once: the cost of the gateway itself.

use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{self, Figures2021, Row, Target, median, micros, notes};
use super::super::window;

/// A room, as the stub accepts any.
pub const ROOM: &str = "!bench:example.org";

/// A token of today's length, as the stub accepts any.
pub const ACCESS_TOKEN: &str = "syt_YmVuY2g_aaaaaaaaaaaaaaaaaaaa_000000";

/// Requests per second and CPU time per request at 1, 64 and 256 clients.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
    let origin = format!("http://{}", homeserver.address);
    let gateway = gateway.start(&origin)?;
    let request = Request::send(&origin, ROOM, ACCESS_TOKEN);
    let mut rows = Vec::new();
    for clients in [1, 64, 256] {
        let mut windows = Vec::new();
        let mut stub_cpu = Vec::new();
        for _ in 0..plan.pairs {
            let mut load = Load::new(gateway.address)?;
            load.add(
                clients,
                std::slice::from_ref(&request),
                None,
                Duration::ZERO,
            )?;
            let before = homeserver.cpu_time()?;
            windows.extend(window::measure(&mut load, &gateway, plan)?);
            stub_cpu.push((homeserver.cpu_time()? - before).as_secs_f64());
        }
        let rate = median(windows.iter().map(|window| window.rate));
        let cpu = median(windows.iter().map(|window| micros(window.cpu)));
        let stub_share = median(stub_cpu) / (plan.window + plan.warm_up).as_secs_f64();
        let baseline = Figures2021::send_rate(clients);
        rows.push(Row {
            name: format!(
                "`/send`, instant homeserver, {}: requests",
                report::clients(clients)
            ),
            figure: rate,
            unit: "/s",
            baseline: Some(("2021", baseline)),
            ratio: Some(rate / baseline),
            target: if clients == 64 {
                Target::RatioAtLeast(10.0)
            } else {
                Target::None
            },
            runs: windows.len(),
            notes: notes(&windows),
        });
        rows.push(Row {
            name: format!(
                "`/send`, instant homeserver, {}: CPU per request",
                report::clients(clients)
            ),
            figure: cpu,
            unit: "µs",
            baseline: Some(("2021", micros(Figures2021::SEND_CPU))),
            ratio: Some(cpu / micros(Figures2021::SEND_CPU)),
            target: Target::None,
            runs: windows.len(),
            notes: format!(
                "the stub homeserver takes {:.0} % of a core meanwhile",
                stub_share * 100.0
            ),
        });
    }
    Ok(rows)
}
