//! Decides which revision of each rule serves. No other code can change that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::config_reloader::ConfigReloader;
use super::event::{Event, Events};
use super::managed::Managed;
use super::not_replaced::NotReplaced;
use super::protocol::ControlRequest;
use super::rule_status_cell::RuleStatusCell;
use super::source::Source;
use super::watch::Watch;
use crate::config::{RuleSpec, Settings};
use crate::control::{Reply, Requester};
use crate::daemon::heap;
use crate::request::SnapshotCell;
use crate::telemetry::operator::TARGET;
use contract::escaping::escaped;
use runtime::{Alarm, Cache, Engines, FailureSink, Trust};

/// All rules, and everything that activation needs.
pub struct Manager {
    pub(super) engines: Engines,
    pub(super) cache: Option<Cache>,
    pub(super) trust: Trust,
    pub(super) snapshots: Arc<SnapshotCell>,
    rule_status: Arc<RuleStatusCell>,
    pub(super) rules: Vec<Managed>,
    pub(super) config_reloader: ConfigReloader,
    /// Receives failing revisions.
    pub(super) failure_sink: FailureSink,
    /// None if the system has no watch left.
    pub(super) watch: Option<Arc<Watch>>,
    /// Folders that could not be watched.
    pub(super) unwatched: Vec<PathBuf>,
}

impl Manager {
    /// A manager of these rules, none of which serves yet in `snapshots`. `events` receives failing revisions, `watch`
    /// gets the folders to watch.
    #[must_use]
    pub fn new(
        engines: Engines,
        cache: Option<Cache>,
        snapshots: Arc<SnapshotCell>,
        (specs, trust): (Vec<RuleSpec>, Trust),
        config_reloader: ConfigReloader,
        watch: Option<Arc<Watch>>,
        events: &Events,
    ) -> Self {
        let failure_sink: FailureSink = {
            let events = events.clone();
            Arc::new(move |alarm: Alarm| {
                // Without a manager the gateway is shutting down.
                let _ = events.send(Event::Alarm(alarm));
            })
        };
        let managed = |spec| Managed::new(spec, failure_sink.clone());
        Self {
            engines,
            cache,
            trust,
            snapshots,
            rule_status: Arc::default(),
            rules: specs.into_iter().map(managed).collect(),
            config_reloader,
            failure_sink,
            watch,
            unwatched: Vec::new(),
        }
    }

    /// The status of the rules, readable while the manager is busy.
    #[must_use]
    pub fn rule_status(&self) -> Arc<RuleStatusCell> {
        self.rule_status.clone()
    }

    fn publish(&self) {
        self.rule_status
            .publish(self.rules.iter().map(Managed::published).collect());
    }

    /// Activates every rule from its configured file. A rule that cannot be activated is out of service; the others
    /// serve.
    ///
    /// # Errors
    /// Name and reason of each rule that is out of service.
    pub fn start(&mut self) -> Vec<(String, NotReplaced)> {
        // First, so that a file that is replaced after it was read causes an event.
        self.watch_folders();
        let mut failed = Vec::new();
        for index in 0..self.rules.len() {
            if let Err(error) = self.replace(index, Source::Configured) {
                failed.push((self.rules[index].spec.name.clone(), error));
            }
        }
        self.publish();
        heap::release();
        failed
    }

    /// Warns of serving settings that the operator may not have intended.
    pub fn warn(&self, settings: &Settings) {
        if settings.has_token {
            tracing::warn!(
                "a configured access token serves unsecured devices of token_peers: anyone who can send from such an \
                 address (and receive there, unless token_without_proof is set) can use it"
            );
        }
        let snapshot = self.snapshots.load();
        let exists = |name: &&String| snapshot.rules.has_first(name);
        for name in settings.disabled.iter().filter(|name| !exists(name)) {
            tracing::warn!(
                "disabled_resources: no rule has /{name}; GET /.well-known/core lists all resources"
            );
        }
    }

    /// Acts on events until all senders are gone.
    pub fn run(mut self, events: &Receiver<Event>) {
        loop {
            match self.next(events) {
                Ok(event) => self.act(event, events),
                // A missing folder may exist now.
                Err(RecvTimeoutError::Timeout) => self.watch_folders_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.publish();
            // Memory of the compiler and of dropped revisions.
            heap::release();
        }
    }

    pub(super) fn act(&mut self, event: Event, events: &Receiver<Event>) {
        match event {
            Event::Replaced(rule) => self.replaced(rule, events),
            Event::Folders => self.folders_changed(),
            Event::Alarm(alarm) => self.alarm(&alarm),
            Event::ControlRequest(command, requester, reply) => {
                log_request(&command, &requester);
                let result = self.carry_out(command);
                // Before the reply, since the operator may read the status at once.
                self.publish();
                // The operator may have disconnected.
                let _ = reply.send(result);
            }
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.spec.name == name)
    }

    pub(super) fn replace_and_log(&mut self, index: usize, source: Source<'_>) -> Reply {
        match self.replace(index, source) {
            Ok(done) => Reply::Done(done),
            Err(NotReplaced { step, reason }) => {
                let rule = &self.rules[index];
                let serves = match &rule.current {
                    Some(current) => format!("{} keeps serving", current.revision.digest()),
                    None => "it stays out of service".to_owned(),
                };
                let line = format!(
                    "rule {} not replaced ({serves}): {step}: {reason}",
                    rule.spec.name
                );
                tracing::error!(target: TARGET, "{line}");
                Reply::Refused(line)
            }
        }
    }

    fn carry_out(&mut self, command: ControlRequest) -> Reply {
        let unknown = |rule: &str| {
            let line = format!(
                "there is no rule {}; `comatrix-gateway rules list` shows them",
                escaped(rule, 64)
            );
            tracing::error!(target: TARGET, "{line}");
            Reply::Refused(line)
        };
        match command {
            ControlRequest::Reload {} => self.reconfigure(),
            ControlRequest::List {} => {
                let rules = self.rules.iter().map(Managed::published);
                Reply::Rules(rules.map(|rule| rule.status()).collect())
            }
            ControlRequest::Swap { rule, file, keep } => match self.index(&rule) {
                Some(index) => {
                    let path = Path::new(&file);
                    self.replace_and_log(index, Source::File { path, keep })
                }
                None => unknown(&rule),
            },
            ControlRequest::Rollback { rule } => match self.index(&rule) {
                Some(index) => match self.roll_back(index) {
                    Ok(done) => {
                        tracing::info!(target: TARGET, "{done}, by an operator");
                        Reply::Done(done)
                    }
                    Err(error) => {
                        tracing::error!(target: TARGET, "rule {rule} not rolled back: {}", error.reason);
                        Reply::Refused(error.reason)
                    }
                },
                None => unknown(&rule),
            },
        }
    }
}

/// Logs who asks for what, before the result: a command that asks for nothing but a list changes nothing.
fn log_request(command: &ControlRequest, requester: &Requester) {
    let (what, rule) = match command {
        ControlRequest::List {} => return,
        ControlRequest::Reload {} => ("a reload of the configuration", None),
        ControlRequest::Swap { rule, keep, .. } => match keep {
            true => ("a swap, to be kept, of rule ", Some(rule)),
            false => ("a swap of rule ", Some(rule)),
        },
        ControlRequest::Rollback { rule } => ("a rollback of rule ", Some(rule)),
    };
    let rule = rule.map_or_else(String::new, |rule| escaped(rule, 64).to_string());
    tracing::info!(target: TARGET, "{requester} asks for {what}{rule}");
}
