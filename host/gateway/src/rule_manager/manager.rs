//! Decides which revision of each rule serves. It owns the only way to change that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use super::config_reloader::ConfigReloader;
use super::managed::{Activated, Managed};
use super::protocol::{ControlRequest, Reply};
use super::reload::Source;
use super::replace::NotReplaced;
use super::rule_status_cell::RuleStatusCell;
use super::watch::Watch;
use super::{Event, Events};
use crate::config::RuleSpec;
use crate::config::Settings;
use crate::daemon::heap;
use crate::request::SnapshotCell;
use contract::escaping::escaped;
use runtime::{Alarm, Cache, Engines, FailureSink, Trust};

/// All rules, and what they are made with.
pub struct Manager {
    pub(super) engines: Engines,
    pub(super) cache: Option<Cache>,
    pub(super) trust: Trust,
    pub(super) snapshots: Arc<SnapshotCell>,
    board: Arc<RuleStatusCell>,
    pub(super) rules: Vec<Managed>,
    pub(super) rereading: ConfigReloader,
    /// Hears of revisions that fail.
    pub(super) bell: FailureSink,
    /// None where the system has none left.
    pub(super) watch: Option<Arc<Watch>>,
    /// Folders that could not be watched.
    pub(super) unwatched: Vec<PathBuf>,
}

impl Manager {
    /// Knows the rules, which are to serve in `serving`; none does yet. `events` hears of revisions that fail, `watch` learns
    /// where files may be replaced.
    #[must_use]
    pub fn new(
        engines: Engines,
        cache: Option<Cache>,
        snapshots: Arc<SnapshotCell>,
        (specs, trust): (Vec<RuleSpec>, Trust),
        rereading: ConfigReloader,
        watch: Option<Arc<Watch>>,
        events: &Events,
    ) -> Self {
        let bell: FailureSink = {
            let events = events.clone();
            Arc::new(move |alarm: Alarm| {
                // Without a manager nobody decides any more: the gateway ends.
                let _ = events.send(Event::Alarm(alarm));
            })
        };
        let managed = |spec| Managed::new(spec, bell.clone());
        Self {
            engines,
            cache,
            trust,
            snapshots,
            board: Arc::default(),
            rules: specs.into_iter().map(managed).collect(),
            rereading,
            bell,
            watch,
            unwatched: Vec::new(),
        }
    }

    /// What is known of the rules, for whoever wants to see it.
    #[must_use]
    pub fn board(&self) -> Arc<RuleStatusCell> {
        self.board.clone()
    }

    fn post(&self) {
        self.board
            .post(self.rules.iter().map(Managed::posted).collect());
    }

    /// Activates every rule from where the configuration says. A rule that cannot be activated is out of service; the
    /// others are not touched by that.
    ///
    /// # Errors
    /// For each of those its name, and why.
    pub fn start(&mut self) -> Vec<(String, NotReplaced)> {
        // First: a file that is replaced after it was read is heard of.
        self.watch_folders();
        let mut failed = Vec::new();
        for index in 0..self.rules.len() {
            if let Err(error) = self.replace(index, Source::Configured) {
                failed.push((self.rules[index].spec.name.clone(), error));
            }
        }
        self.post();
        heap::give_back();
        failed
    }

    /// Says what an operator may not have meant of settings that serve.
    pub fn warn(&self, settings: &Settings) {
        if settings.has_token {
            tracing::warn!(
                "a configured access token serves unsecured devices of token_peers: whoever can send from such an address can use it"
            );
        }
        let snapshot = self.snapshots.load();
        let is_there = |name: &&String| snapshot.rules.has_first(name);
        for name in settings.disabled.iter().filter(|name| !is_there(name)) {
            tracing::warn!(
                "disabled_resources: no rule has /{name}; GET /.well-known/core lists what there is"
            );
        }
    }

    /// Acts on events until nobody can send any more.
    pub fn run(mut self, events: &Receiver<Event>) {
        loop {
            match self.next(events) {
                Ok(event) => self.act(event, events),
                // A folder that was not there may be now.
                Err(RecvTimeoutError::Timeout) => self.watch_folders_anew(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.post();
            // What the compiler has held, and revisions that nothing shows any more.
            heap::give_back();
        }
    }

    pub(super) fn act(&mut self, event: Event, events: &Receiver<Event>) {
        match event {
            Event::Replaced(rule) => self.replaced(rule, events),
            Event::Folders => self.folders_changed(),
            Event::Alarm(alarm) => self.alarm(&alarm),
            Event::ControlRequest(wish, reply) => {
                let answer = self.wish(wish);
                // Before the answer: who asked looks at once.
                self.post();
                // Who asked may have gone.
                let _ = reply.send(answer);
            }
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.spec.name == name)
    }

    pub(super) fn replace_and_tell(&mut self, index: usize, source: Source<'_>) -> Reply {
        match self.replace(index, source) {
            Ok(done) => Reply::Done(done),
            Err(NotReplaced { step, reason }) => {
                let rule = &self.rules[index];
                let serves = match &rule.current {
                    Some(current) => format!("{} goes on", current.revision.digest()),
                    None => "it stays out of service".to_owned(),
                };
                let line = format!(
                    "rule {} not replaced ({serves}): {step}: {reason}",
                    rule.spec.name
                );
                tracing::error!("{line}");
                Reply::Refused(line)
            }
        }
    }

    /// A revision fails: the one before it comes back, or the rule pauses.
    fn alarm(&mut self, alarm: &Alarm) {
        let Some(index) = self.index(&alarm.rule) else {
            return;
        };
        let rule = &self.rules[index];
        let is_current = rule
            .current
            .as_ref()
            .is_some_and(|current| current.revision.id() == alarm.revision);
        if !is_current {
            return; // It is gone already.
        }
        match self.roll_back(index) {
            Ok(done) => {
                let rule = &mut self.rules[index];
                // What failed for eight devices does not come back by itself.
                rule.previous = None;
                rule.failure = Some(format!(
                    "{} failed on half of its calls and was taken back",
                    alarm.digest
                ));
                tracing::error!("{done}, since {} fails", alarm.digest);
            }
            Err(_) => self.rules[index].pause(),
        }
    }

    fn roll_back(&mut self, index: usize) -> Result<String, NotReplaced> {
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
                    "revision {number} is below {}, which the current one asks for (min_revision); swap in a newer one",
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
        Ok(format!("rule {name}: back to {digest}"))
    }

    fn wish(&mut self, wish: ControlRequest) -> Reply {
        let unknown = |rule: &str| {
            Reply::Refused(format!(
                "there is no rule {}; `comatrix-gateway rules list` shows them",
                escaped(rule, 64)
            ))
        };
        match wish {
            ControlRequest::Reload {} => self.reconfigure(),
            ControlRequest::List {} => {
                let rules = self.rules.iter().map(Managed::posted);
                Reply::Rules(rules.map(|rule| rule.status()).collect())
            }
            ControlRequest::Swap { rule, file } => match self.index(&rule) {
                Some(index) => self.replace_and_tell(index, Source::File(Path::new(&file))),
                None => unknown(&rule),
            },
            ControlRequest::Rollback { rule } => match self.index(&rule) {
                Some(index) => match self.roll_back(index) {
                    Ok(done) => {
                        tracing::info!("{done}, as an operator wished");
                        Reply::Done(done)
                    }
                    Err(error) => {
                        tracing::error!("rule {rule} not rolled back: {}", error.reason);
                        Reply::Refused(error.reason)
                    }
                },
                None => unknown(&rule),
            },
        }
    }
}
