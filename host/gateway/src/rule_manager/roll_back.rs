//! The return to the previous revision: by an operator, or because the serving one fails.

use std::time::Instant;

use super::managed::Activated;
use super::manager::Manager;
use super::not_replaced::NotReplaced;
use crate::telemetry::operator::TARGET;
use runtime::Alarm;

impl Manager {
    /// A revision fails. If the previous one does better, the manager rolls the rule back; if nothing works, it pauses
    /// the rule.
    pub(super) fn alarm(&mut self, alarm: &Alarm) {
        let Some(index) = self.index(&alarm.rule) else {
            return;
        };
        let rule = &self.rules[index];
        let is_current = rule
            .current
            .as_ref()
            .is_some_and(|current| current.revision.id() == alarm.revision);
        if !is_current {
            return; // It was replaced already.
        }
        match self.roll_back_failing(index, alarm) {
            Ok(done) => {
                let rule = &mut self.rules[index];
                // A later rollback must not return to the failed revision.
                rule.previous = None;
                rule.failure = Some(format!(
                    "{} failed on half of its calls and was rolled back",
                    alarm.digest
                ));
                tracing::error!(target: TARGET, "{done}, because {} fails", alarm.digest);
            }
            Err(NotReplaced { reason, .. }) => {
                let rule = &mut self.rules[index];
                rule.failure = Some(format!("{} fails on half of its calls", alarm.digest));
                let name = &rule.spec.name;
                tracing::error!("rule {name}: {} fails but serves: {reason}", alarm.digest);
                if alarm.nothing_works {
                    rule.pause();
                }
            }
        }
    }

    /// Rolls a failing revision back, unless its operator keeps it or the previous one fails on the same requests:
    /// devices choose the requests, so that they could choose the revision too.
    fn roll_back_failing(&mut self, index: usize, alarm: &Alarm) -> Result<String, NotReplaced> {
        let rule = &self.rules[index];
        if rule.current.as_ref().is_some_and(|current| current.kept) {
            let reason = "its operator keeps it (--keep or min_revision)";
            return Err(NotReplaced::at("roll back", reason));
        }
        if let Some(previous) = &rule.previous {
            let (better, all) = (previous.revision.results(&alarm.failed), alarm.failed.len());
            if better * 2 <= all {
                let digest = previous.revision.digest();
                return Err(NotReplaced::at(
                    "roll back",
                    format!(
                        "the previous one, {digest}, has results for {better} of {all} of its failed requests"
                    ),
                ));
            }
        }
        self.roll_back(index)
    }

    /// Returns to the previous revision.
    pub(super) fn roll_back(&mut self, index: usize) -> Result<String, NotReplaced> {
        let rule = &self.rules[index];
        let name = rule.spec.name.clone();
        let previous = rule.previous.clone().ok_or_else(|| {
            NotReplaced::at(
                "roll back",
                format!("rule {name} has no revision before this one; swap in another"),
            )
        })?;
        let number = previous.revision.number();
        if number < rule.floor {
            return Err(NotReplaced::at(
                "roll back",
                format!(
                    "revision {number} is below {}, the min_revision of a manifest that has served; swap in a newer \
                     one",
                    rule.floor
                ),
            ));
        }
        let digest = previous.revision.digest();
        let mut rule = rule.clone();
        rule.previous = rule.current.replace(Activated {
            since: Instant::now(),
            ..previous
        });
        rule.changes.rolled_back += 1;
        self.serve(index, rule)?;
        Ok(format!("rule {name}: rolled back to {digest}"))
    }
}
