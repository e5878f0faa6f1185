//! Decides which revision of each rule serves. It owns the only way to change that.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::managed::{Activated, Managed};
use super::protocol::{Reply, Wish};
use super::reload::{Source, read};
use super::replace::NotReplaced;
use super::{Event, Events, RuleSpec};
use crate::access_log::escaped;
use crate::rule::{Alarm, Bell, Cache, Digest, Engines, Serving, Trust};

/// After a file was replaced, the time for others that belong to it (manifest, signature) to follow.
const SETTLING: Duration = Duration::from_millis(50);

/// All rules, and what they are made with.
pub struct Manager {
    pub(super) engines: Engines,
    pub(super) cache: Option<Cache>,
    pub(super) trust: Trust,
    pub(super) serving: Arc<Serving>,
    pub(super) rules: Vec<Managed>,
}

impl Manager {
    /// Knows the rules; none serves yet. `events` hears of revisions that fail.
    #[must_use]
    pub fn new(
        engines: Engines,
        cache: Option<Cache>,
        trust: Trust,
        specs: Vec<RuleSpec>,
        events: &Events,
    ) -> Self {
        let bell: Bell = {
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
            serving: Arc::default(),
            rules: specs.into_iter().map(managed).collect(),
        }
    }

    /// What serves, for the serving path.
    #[must_use]
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.clone()
    }

    /// Activates every rule from where the configuration says. A rule that cannot be activated is out of service; the
    /// others are not touched by that.
    ///
    /// # Errors
    /// For each of those its name, and why.
    pub fn start(&mut self) -> Vec<(String, NotReplaced)> {
        let mut failed = Vec::new();
        for index in 0..self.rules.len() {
            if let Err(error) = self.replace(index, Source::Configured) {
                failed.push((self.rules[index].spec.name.clone(), error));
            }
        }
        failed
    }

    /// Those of these first path segments that no rule has.
    #[must_use]
    pub fn without_resource<'a>(&self, first: &'a [String]) -> Vec<&'a String> {
        let table = self.serving.now();
        first.iter().filter(|name| !table.has_first(name)).collect()
    }

    /// Acts on events until nobody can send any more.
    pub fn run(mut self, events: &Receiver<Event>) {
        while let Ok(event) = events.recv() {
            self.act(event, events);
        }
    }

    fn act(&mut self, event: Event, events: &Receiver<Event>) {
        match event {
            Event::Replaced(rule) => self.replaced(rule, events),
            Event::Reload(done) => {
                self.reload();
                // Who asked may have gone.
                let _ = done.send(());
            }
            Event::Alarm(alarm) => self.alarm(&alarm),
            Event::Wish(wish, reply) => {
                let answer = self.wish(wish);
                // Who asked may have gone.
                let _ = reply.send(answer);
            }
        }
    }

    /// Files of one release are replaced one after the other: they are looked at together.
    fn replaced(&mut self, rule: String, events: &Receiver<Event>) {
        let mut names = vec![rule];
        let mut later = None;
        let settled = Instant::now() + SETTLING;
        while later.is_none() {
            match events.recv_timeout(settled.saturating_duration_since(Instant::now())) {
                Ok(Event::Replaced(rule)) if names.contains(&rule) => {}
                Ok(Event::Replaced(rule)) => names.push(rule),
                Ok(other) => later = Some(other),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for name in names {
            if let Some(index) = self.index(&name) {
                self.replace_and_tell(index, Source::Configured);
            }
        }
        if let Some(later) = later {
            self.act(later, events);
        }
    }

    fn reload(&mut self) {
        for index in 0..self.rules.len() {
            let rule = &self.rules[index];
            let found = read(&rule.spec, Source::Configured, &self.trust)
                .ok()
                .map(|package| (Digest::of(&package.component), package.manifest));
            // What cannot be read is said as any failure is.
            if found.is_none() || found != rule.found {
                self.replace_and_tell(index, Source::Configured);
            }
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.spec.name == name)
    }

    fn replace_and_tell(&mut self, index: usize, source: Source<'_>) -> Reply {
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
            .is_some_and(|current| current.revision.digest() == alarm.digest);
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
        self.serve(index, &previous.revision)?;
        let rule = &mut self.rules[index];
        let digest = previous.revision.digest();
        rule.previous = rule.current.replace(Activated {
            since: Instant::now(),
            ..previous
        });
        rule.state.pause(None);
        Ok(format!("rule {name}: back to {digest}"))
    }

    fn wish(&mut self, wish: Wish) -> Reply {
        let unknown = |rule: &str| {
            Reply::Refused(format!(
                "there is no rule {}; `comatrix-gateway rules list` shows them",
                escaped(rule, 64)
            ))
        };
        match wish {
            Wish::List {} => Reply::Rules(self.rules.iter().map(Managed::status).collect()),
            Wish::Swap { rule, file } => match self.index(&rule) {
                Some(index) => self.replace_and_tell(index, Source::File(Path::new(&file))),
                None => unknown(&rule),
            },
            Wish::Rollback { rule } => match self.index(&rule) {
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
