//! Another configuration in place of the one that serves, whole or not at all: everything that can fail comes before the one
//! pointer that changes.

use std::sync::Arc;
use std::time::Instant;

use super::managed::{Found, Managed};
use super::manager::Manager;
use super::not_replaced::NotReplaced;
use super::protocol::Reply;
use super::replace::table;
use super::source::{Source, read};
use crate::config::RuleSpec;
use crate::daemon::service_manager;
use crate::request::Snapshot;
use contract::escaping::escaped;
use runtime::Trust;

/// Bytes of the line that says why: a path, and a rule's grants to copy.
const MAX_REASON: usize = 2000;

/// Why what ran goes on.
struct NotTaken {
    reason: String,
    /// The rule whose fault it is.
    rule: Option<String>,
}

impl<E: std::error::Error> From<E> for NotTaken {
    fn from(error: E) -> Self {
        Self {
            reason: error.to_string(),
            rule: None,
        }
    }
}

impl Manager {
    /// Reads the configuration and every file that it names, and lets it serve; or says in one line why not.
    pub(super) fn reconfigure(&mut self) -> Reply {
        service_manager::reloading();
        let began = Instant::now();
        let result = self.try_reconfigure();
        // A folder may have taken another's place meanwhile.
        self.watch_folders_anew();
        let source = &self.config_reloader.source;
        let reply = match result {
            Ok(()) => {
                let milliseconds = began.elapsed().as_secs_f64() * 1e3;
                let done = format!("{source} serves as it is now (read in {milliseconds:.1} ms)");
                tracing::info!("{done}");
                Reply::Done(done)
            }
            Err(NotTaken { reason, rule }) => {
                let reason = escaped(&reason, MAX_REASON);
                let line = format!("{source} not taken, what ran goes on: {reason}");
                tracing::error!("{line}");
                for known in &mut self.rules {
                    let is_faulty = rule.as_ref() == Some(&known.spec.name);
                    known.refusal = is_faulty.then(|| reason.clone());
                    known.changes.refused += u64::from(is_faulty);
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

    fn try_reconfigure(&mut self) -> Result<(), NotTaken> {
        let mut settings = (self.config_reloader.read)()?;
        // First: a file that is replaced after it was read is heard of when this is done.
        if let Some(watch) = &self.watch {
            let serving = self.rules.iter().map(|rule| &rule.spec);
            // What cannot be watched is said when it is known which rules serve.
            drop(watch.follow(serving.chain(&settings.rules)));
        }
        let mut rules = Vec::with_capacity(settings.rules.len());
        for spec in std::mem::take(&mut settings.rules) {
            let name = spec.name.clone();
            let prepared = self.prepared(spec, &settings.trust);
            rules.push(prepared.map_err(|NotReplaced { step, reason }| NotTaken {
                reason: format!("{step}: {reason}"),
                rule: Some(name),
            })?);
        }
        settings.upstreams.keep(&self.snapshots.load().upstreams);
        let service = Snapshot {
            rules: Arc::new(table(&rules)?),
            ..settings.snapshot()?
        };
        self.snapshots.update(|now| *now = service.clone());
        // One that fails and was not touched stays out of service for its time.
        for rule in rules.iter().filter(|rule| rule.pauses.1.is_none()) {
            rule.state.pause(None);
        }
        self.rules = rules;
        (self.config_reloader.taken)(&settings);
        self.warn(&settings);
        self.trust = settings.trust;
        Ok(())
    }

    /// A rule as its specification has it, ready to serve. One of which neither specification nor files have changed stays
    /// as it is, with whatever an operator has swapped in or taken back.
    fn prepared(&self, spec: RuleSpec, trust: &Trust) -> Result<Managed, NotReplaced> {
        let package = read(&spec, Source::Configured, trust)
            .map_err(|error| NotReplaced::at("verify", error))?;
        let mut known = self.rules.iter();
        let former = known.find(|rule| rule.spec.name == spec.name);
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
            self.make_ready(&mut rule, &package, Source::Configured)?;
        }
        Ok(rule)
    }
}
