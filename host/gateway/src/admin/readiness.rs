//! Why the gateway cannot serve devices, in sentences.

use crate::rule_manager::RuleStatus;
use homeserver::Probes;

/// The reasons; empty if the gateway is ready. A rule that does not serve is one, since the operator configured it. Of
/// the homeservers only the default one is considered: without it most devices can do nothing.
pub(super) fn obstacles(rules: &[RuleStatus], probes: &Probes, draining: bool) -> Vec<String> {
    let mut obstacles = Vec::new();
    if draining {
        obstacles.push("the gateway is shutting down".to_owned());
    }
    for rule in rules {
        let name = &rule.name;
        if rule.revision.is_none() {
            let failure = rule.failure.as_deref().unwrap_or("it was never activated");
            obstacles.push(format!("rule {name} is out of service: {failure}"));
        } else if let Some(seconds) = rule.paused_seconds {
            obstacles.push(format!(
                "rule {name} is paused for {seconds} s because it fails too often; replace it with `comatrix-gateway \
                 rules swap`"
            ));
        }
    }
    if let Some(homeserver) = probes.homeservers().first() {
        let origin = homeserver.shown();
        match homeserver.record().presence() {
            Some(presence) if presence.is_there => {}
            Some(presence) => obstacles.push(format!(
                "the homeserver {origin} is not reachable ({}): {}",
                presence.outcome,
                remedy(&presence.outcome)
            )),
            None => obstacles.push(format!(
                "the gateway has not called the homeserver {origin} yet"
            )),
        }
    }
    obstacles
}

fn remedy(outcome: &str) -> &'static str {
    match outcome {
        "unreachable" => "check that it runs, its name and port, and the network",
        "tls" => "check its certificate, the clock of this machine, and the authority in ca_file",
        "timed-out" => "it or the network is too slow, or a firewall drops packets to it",
        "cut-off" => "it closes connections before its response is complete; see its own log",
        _ => "the proxy in front of it responds in its place; check that the homeserver runs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_of_an_unreachable_homeserver_has_its_own_remedy() {
        let mut remedies: Vec<_> = ["unreachable", "tls", "timed-out", "cut-off", "502"]
            .map(remedy)
            .into();
        remedies.sort_unstable();
        remedies.dedup();
        assert_eq!(remedies.len(), 5);
    }
}
