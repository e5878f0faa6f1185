//! What must hold after a run, and what happened in it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::device::Ledger;

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills of the gateway, and stops of Synapse.
    pub kills: usize,
    /// How often Synapse was stopped, and how long it was away.
    pub stops: usize,
    /// See above.
    pub away: Duration,
    /// Messages with 2.04, and those of them that waited.
    pub accepted: usize,
    /// See above.
    pub queued: usize,
    /// Messages with another response or none, by it.
    pub unsure: BTreeMap<String, usize>,
    /// Repetitions of accepted messages after a kill.
    pub repeated: usize,
    /// Accepted messages that are not in their room.
    pub lost: Vec<String>,
    /// Messages that are in a room more than once.
    pub doubled: Vec<String>,
    /// Accepted messages that come after a later one of their device.
    pub reordered: Vec<String>,
    /// Repetitions that were refused, by their response.
    pub refused: BTreeMap<String, usize>,
    /// Lines of the log that no run must have.
    pub faults: Vec<String>,
}

impl Report {
    /// Compares the devices' messages with the texts of all rooms, the oldest first.
    pub fn compare(&mut self, ledgers: &[Ledger], timeline: &[String]) {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, text) in timeline.iter().enumerate() {
            places.entry(text).or_default().push(place);
        }
        for ledger in ledgers {
            self.accepted += ledger.accepted.len();
            self.queued += ledger.queued;
            self.repeated += ledger.repeated;
            for code in &ledger.refused {
                *self.refused.entry(code.clone()).or_default() += 1;
            }
            for (_, code) in &ledger.unsure {
                *self.unsure.entry(code.clone()).or_default() += 1;
            }
            let mut latest = 0;
            for text in &ledger.accepted {
                let Some(first) = places.get(text.as_str()).and_then(|places| places.first())
                else {
                    self.lost.push(text.clone());
                    continue;
                };
                if *first < latest {
                    self.reordered.push(text.clone());
                }
                latest = latest.max(*first);
            }
        }
        let doubled = places.iter().filter(|(_, places)| places.len() > 1);
        self.doubled = doubled.map(|(text, _)| (*text).to_owned()).collect();
        self.doubled.sort();
    }

    /// Why it does not pass; empty where it does.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (what, list) in [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("out of order", &self.reordered),
            ("in the log", &self.faults),
        ] {
            if !list.is_empty() {
                problems.push(format!("{what}: {list:?}"));
            }
        }
        if !self.refused.is_empty() {
            problems.push(format!("repetitions were refused: {:?}", self.refused));
        }
        if self.accepted == 0 || self.queued == 0 || self.queued == self.accepted {
            problems
                .push("not both kinds of responses came: nothing was put to the test".to_owned());
        }
        problems
    }

    /// A table.
    pub fn table(&self) -> String {
        let rows = [
            ("kills of the gateway", self.kills.to_string()),
            (
                "stops of Synapse, and its time away",
                format!("{}, {} s", self.stops, self.away.as_secs()),
            ),
            (
                "messages accepted, of them queued",
                format!("{}, {}", self.accepted, self.queued),
            ),
            (
                "repetitions of accepted messages",
                format!("{}, refused {:?}", self.repeated, self.refused),
            ),
            ("other responses", format!("{:?}", self.unsure)),
            ("accepted and not in the room", self.lost.len().to_string()),
            ("in a room more than once", self.doubled.len().to_string()),
            ("out of order", self.reordered.len().to_string()),
        ];
        let rows = rows.map(|(what, figure)| format!("| {what} | {figure} |\n"));
        format!("| quantity | figure |\n| --- | ---: |\n{}", rows.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(accepted: &[&str], timeline: &[&str]) -> Vec<String> {
        let ledger = Ledger {
            accepted: accepted.iter().map(|text| (*text).to_owned()).collect(),
            queued: 1,
            ..Ledger::default()
        };
        let timeline: Vec<String> = timeline.iter().map(|text| (*text).to_owned()).collect();
        let mut report = Report::default();
        report.compare(&[ledger], &timeline);
        report.problems()
    }

    #[test]
    fn each_accepted_message_is_there_once_and_in_its_order() {
        assert_eq!(problems(&["a", "b"], &["a", "of another", "b"]), [""; 0]);
        for (timeline, problem) in [
            (&["a"][..], "lost"),
            (&["a", "b", "b"], "doubled"),
            (&["a", "b", "other", "other"], "doubled"),
            (&["b", "a"], "out of order"),
        ] {
            let found = problems(&["a", "b"], timeline);
            assert!(
                found.len() == 1 && found[0].starts_with(problem),
                "{timeline:?}: {found:?}"
            );
        }
    }
}
