//! What keeps the gateway from serving devices, in sentences.

use crate::rule_manager::RuleStatus;
use homeserver::Probes;

/// What is missing, as far as it is known; empty where the gateway is ready. A rule that does not serve counts, since somebody
/// has configured it; of the homeservers the default one does, without which most devices can do nothing.
pub(super) fn missing(rules: &[RuleStatus], probes: &Probes, draining: bool) -> Vec<String> {
    let mut missing = Vec::new();
    if draining {
        missing.push("the gateway is shutting down".to_owned());
    }
    for rule in rules {
        let name = &rule.name;
        if rule.revision.is_none() {
            let failure = rule.failure.as_deref().unwrap_or("it was never activated");
            missing.push(format!("rule {name} is out of service: {failure}"));
        } else if let Some(seconds) = rule.paused_seconds {
            missing.push(format!(
                "rule {name} pauses for {seconds} s, since it fails too often; replace it with `comatrix-gateway rules swap`"
            ));
        }
    }
    if let Some(homeserver) = probes.homeservers().first() {
        let origin = homeserver.shown();
        match homeserver.record().presence() {
            Some(presence) if presence.is_there => {}
            Some(presence) => missing.push(format!(
                "the homeserver {origin} does not answer ({}): {}",
                presence.outcome,
                remedy(&presence.outcome)
            )),
            None => missing.push(format!("the homeserver {origin} was not asked yet")),
        }
    }
    missing
}

fn remedy(outcome: &str) -> &'static str {
    match outcome {
        "unreachable" => "is it running, and are its name, port and the network right?",
        "tls" => {
            "is its certificate valid, is this machine's clock right, and does ca_file name its authority?"
        }
        "timed-out" => "it or the network is too slow, or something drops packets to it",
        "cut-off" => "it closes connections in the middle; its own log says why",
        _ => "the proxy in front of it answers in its place; look whether it runs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_of_a_homeserver_that_is_not_there_has_its_own_remedy() {
        let mut remedies: Vec<_> = ["unreachable", "tls", "timed-out", "cut-off", "502"]
            .map(remedy)
            .into();
        remedies.sort_unstable();
        remedies.dedup();
        assert_eq!(remedies.len(), 5);
    }
}
