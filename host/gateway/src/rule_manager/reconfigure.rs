//! Replacement of the whole configuration, or of nothing: every step that can fail comes before the one pointer
//! changes.

use std::sync::Arc;
use std::time::Instant;

use super::managed::{Found, Managed};
use super::manager::Manager;
use super::not_replaced::NotReplaced;
use super::replace::table;
use super::source::{Source, read};
use crate::config::RuleSpec;
use crate::control::Reply;
use crate::daemon::service_manager;
use crate::request::Snapshot;
use crate::telemetry::operator::TARGET;
use contract::escaping::escaped;
use runtime::Trust;

/// Bytes of the reason: a path, and the grants of a rule to copy.
const MAX_REASON: usize = 2000;

/// A configuration that is not applied.
struct NotApplied {
    reason: String,
    /// The rule that is the cause.
    rule: Option<String>,
}

impl<E: std::error::Error> From<E> for NotApplied {
    fn from(error: E) -> Self {
        Self {
            reason: error.to_string(),
            rule: None,
        }
    }
}

impl Manager {
    /// Reads the configuration and every file that it names, and applies it, or says in one line why not.
    pub(super) fn reconfigure(&mut self) -> Reply {
        service_manager::reloading();
        let began = Instant::now();
        let result = self.try_reconfigure();
        // A folder may have been replaced meanwhile.
        self.watch_folders_again();
        let source = &self.config_reloader.source;
        let reply = match result {
            Ok(()) => {
                let milliseconds = began.elapsed().as_secs_f64() * 1e3;
                let done = format!("{source} applied (in {milliseconds:.1} ms)");
                tracing::info!(target: TARGET, "{done}");
                Reply::Done(done)
            }
            Err(NotApplied {
                reason,
                rule: faulty,
            }) => {
                let reason = escaped(&reason, MAX_REASON);
                let line =
                    format!("{source} not applied; the old configuration keeps serving: {reason}");
                tracing::error!(target: TARGET, "{line}");
                for rule in &mut self.rules {
                    let is_faulty = faulty.as_ref() == Some(&rule.spec.name);
                    rule.refusal = is_faulty.then(|| reason.clone());
                    rule.changes.refused += u64::from(is_faulty);
                }
                Reply::Refused(line)
            }
        };
        service_manager::reloaded(match &reply {
            Reply::Refused(line) => Some(line),
            _ => None,
        });
        reply
    }

    fn try_reconfigure(&mut self) -> Result<(), NotApplied> {
        let mut settings = (self.config_reloader.read)()?;
        // First, so that a file that is replaced after it was read causes an event.
        if let Some(watch) = &self.watch {
            let serving = self.rules.iter().map(|rule| &rule.spec);
            // The log names folders that cannot be watched later, when the serving rules are fixed.
            drop(watch.follow(serving.chain(&settings.rules)));
        }
        let mut rules = Vec::with_capacity(settings.rules.len());
        for spec in std::mem::take(&mut settings.rules) {
            let name = spec.name.clone();
            let prepared = self.prepared(spec, &settings.trust);
            rules.push(prepared.map_err(|NotReplaced { step, reason }| NotApplied {
                reason: format!("{step}: {reason}"),
                rule: Some(name),
            })?);
        }
        settings.upstreams.keep(&self.snapshots.load().upstreams);
        let snapshot = Snapshot {
            rules: Arc::new(table(&rules)?),
            ..settings.snapshot()?
        };
        self.snapshots.update(|current| *current = snapshot.clone());
        // A paused rule that has not changed stays paused.
        for rule in rules.iter().filter(|rule| rule.pauses.1.is_none()) {
            rule.state.pause(Instant::now(), None);
        }
        self.rules = rules;
        (self.config_reloader.applied)(&settings);
        self.warn(&settings);
        self.trust = settings.trust;
        Ok(())
    }

    /// A rule that is ready to serve with this specification. If neither specification nor files have changed, the rule
    /// keeps its revision, and with it an operator's swap or rollback.
    fn prepared(&self, spec: RuleSpec, trust: &Trust) -> Result<Managed, NotReplaced> {
        let package = read(&spec, Source::Configured, trust)
            .map_err(|error| NotReplaced::at("verify", error))?;
        let former = self.rules.iter().find(|rule| rule.spec.name == spec.name);
        let mut rule = match former {
            Some(former) if former.spec == spec && self.trust == *trust => former.clone(),
            Some(former) => former.respecified(spec, self.failure_sink.clone()),
            None => Managed::new(spec, self.failure_sink.clone()),
        };
        rule.refusal = None;
        let keeps_other = rule.keeps_other_than(&package);
        rule.found = Some(Found::of(&package));
        if rule.serves(&package) {
            rule.failure = None;
        } else if !keeps_other {
            self.prepare(&mut rule, &package, Source::Configured)?;
        }
        Ok(rule)
    }
}
