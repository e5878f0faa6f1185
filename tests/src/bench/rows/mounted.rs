//! `/time` while other rules are mounted: the cost of finding the right one.

use std::fs;
use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, micros, notes};
use super::super::variants;
use super::super::window::{self, Window};

/// Nobody listens there (RFC 863's port): `/time` calls no homeserver.
const NO_HOMESERVER: &str = "http://127.0.0.1:9";
const CLIENTS: usize = 64;

/// CPU time per request with 1, 4 and 16 rules.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let servers = [1, 4, 16]
        .map(|rules| start(gateway, rules).map(|server| (rules, server)))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let mut windows: Vec<Vec<Window>> = vec![Vec::new(); servers.len()];
    for _ in 0..plan.pairs {
        for ((_, server), windows) in servers.iter().zip(&mut windows) {
            let mut load = Load::new(server.address)?;
            load.add(CLIENTS, &[Request::time()], None, Duration::ZERO)?;
            windows.extend(window::measure(&mut load, server, plan)?);
        }
    }
    let cpu = |windows: &[Window]| median(windows.iter().map(|window| micros(window.cpu)));
    let alone = cpu(&windows[0]);
    let row = |((rules, _), windows): (&(usize, Server), &Vec<Window>)| Row {
        name: format!("`/time`, 64 clients, {rules} rules mounted: CPU per request"),
        figure: cpu(windows),
        unit: "µs",
        baseline: Some(("one rule", alone)),
        ratio: Some(cpu(windows) / alone),
        target: Target::None,
        runs: windows.len(),
        notes: notes(windows),
    };
    Ok(servers.iter().zip(&windows).map(row).collect())
}

/// A gateway with the default rule at the root, and marked copies of it elsewhere.
fn start(gateway: &Gateway, rules: usize) -> Result<Server, Failure> {
    let mut configuration = String::new();
    for number in 1..rules {
        let component = variants::file(gateway.scratch(), number)?;
        configuration += &format!(
            "[[rule]]\nname = \"r{number}\"\ncomponent = \"{}\"\nallow = [{}]\n",
            component.display(),
            client_api()
        );
    }
    let path = gateway.scratch().join(format!("mounted-{rules}.toml"));
    fs::write(&path, configuration)?;
    gateway.start_with(NO_HOMESERVER, &["--config".as_ref(), path.as_os_str()])
}

/// Grants for the calls of the default rule.
fn client_api() -> String {
    let mut grants = Vec::new();
    for upstream in ["standard", "requested"] {
        for credential in ["none", "device", "any"] {
            grants.push(format!(
                "\"GET,POST,PUT {credential} {upstream} /_matrix/client/v3/**\""
            ));
        }
    }
    grants.join(", ")
}
