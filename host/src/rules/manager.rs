//! Decides which revision of each rule serves. It owns the only way to change that.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::protocol::{Reply, RuleStatus, Wish};
use super::reload::{Source, read};
use super::{Event, Events, RuleSpec};
use crate::access_log::escaped;
use crate::rule::{
    Alarm, Bell, Cache, Candidate, Digest, Engines, Manifest, Mounted, Package, Revision,
    RuleState, Serving, Table, Trust, smoke,
};

/// After a file was replaced, the time for others that belong to it (manifest, signature) to follow.
const SETTLING: Duration = Duration::from_millis(50);
/// How long a rule that keeps failing is out of service at first; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: an operator who has mended what the rule needs does not wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A rule that has not failed for this long after a pause begins with the first pause again.
const FORGIVEN: Duration = Duration::from_secs(600);

/// All rules, and what they are made with.
pub struct Manager {
    engines: Engines,
    cache: Option<Cache>,
    trust: Trust,
    serving: Arc<Serving>,
    rules: Vec<Managed>,
}

struct Managed {
    spec: RuleSpec,
    state: Arc<RuleState>,
    current: Option<Activated>,
    previous: Option<Activated>,
    /// Below this number no revision is activated: what an activated manifest asked for.
    floor: u64,
    /// Pauses in a row, and the end of the last one.
    pauses: (u32, Option<Instant>),
    failure: Option<String>,
    /// What was last found where the configuration says: only a change there is taken at SIGHUP, so that it undoes
    /// neither an operator's swap nor a revision taken back.
    found: Option<(Digest, Option<Manifest>)>,
}

#[derive(Clone)]
struct Activated {
    manifest: Option<Manifest>,
    revision: Arc<Revision>,
    source: String,
    signer: Option<String>,
    since: Instant,
}

/// Why a revision does not serve.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotReplaced {
    /// At which step.
    pub step: &'static str,
    /// What happened, and the remedy, in one line.
    pub reason: String,
}

impl NotReplaced {
    fn at(step: &'static str, reason: impl ToString) -> Self {
        Self {
            step,
            reason: escaped(&reason.to_string(), 2000),
        }
    }
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
            let events = std::sync::Mutex::new(events.clone());
            Arc::new(move |alarm: Alarm| {
                if let Ok(events) = events.lock() {
                    // Without a manager nobody decides any more: the gateway ends.
                    let _ = events.send(Event::Alarm(alarm));
                }
            })
        };
        let managed = |spec: RuleSpec| Managed {
            state: RuleState::new(&spec.name, spec.limits, Some(bell.clone())),
            spec,
            current: None,
            previous: None,
            floor: 0,
            pauses: (0, None),
            failure: None,
            found: None,
        };
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
            Event::Reload => self.reload(),
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

    /// Verify, compile, check imports, link, describe, policy, smoke vectors, and one pointer. The sentence says what
    /// was done.
    fn replace(&mut self, index: usize, source: Source<'_>) -> Result<String, NotReplaced> {
        let result = self.try_replace(index, source);
        // What the compiler and a revision that is gone have held.
        crate::heap::give_back();
        self.rules[index].failure = match &result {
            Ok(_) => None,
            Err(NotReplaced { step, reason }) => Some(format!("{step}: {reason}")),
        };
        result
    }

    fn try_replace(&mut self, index: usize, source: Source<'_>) -> Result<String, NotReplaced> {
        let began = Instant::now();
        let rule = &self.rules[index];
        let package = read(&rule.spec, source, &self.trust)
            .map_err(|error| NotReplaced::at("verify", error))?;
        let digest = Digest::of(&package.component);
        if matches!(source, Source::Configured) {
            self.rules[index].found = Some((digest, package.manifest.clone()));
        }
        let rule = &self.rules[index];
        if let Some(current) = &rule.current
            && current.revision.digest() == digest
            && current.manifest == package.manifest
            && current.signer == package.signer
        {
            return Ok(format!("rule {}: {digest} serves already", rule.spec.name));
        }
        let numbers = |manifest: &Manifest| (manifest.revision, manifest.min_revision);
        let (number, floor) = package.manifest.as_ref().map_or((0, 0), numbers);
        if number < rule.floor {
            return Err(NotReplaced::at(
                "verify",
                format!(
                    "its revision is {number}, and one that served asked for {} or later (min_revision); take a newer one",
                    rule.floor
                ),
            ));
        }
        let revision = self.activate(rule, &package, number)?;
        let activated = Activated {
            source: source.shown(&rule.spec),
            signer: package.signer.clone(),
            manifest: package.manifest.clone(),
            revision: Arc::new(revision),
            since: Instant::now(),
        };
        let prepared = began.elapsed();
        let took = self.serve(index, activated.clone())?;
        let rule = &mut self.rules[index];
        rule.floor = rule.floor.max(floor);
        rule.previous = rule.current.replace(activated);
        rule.pauses = (0, None);
        rule.state.pause(None);
        let done = format!(
            "rule {}: {digest} serves, from {} (prepared in {:.1} ms, swapped in {:.1} µs)",
            rule.spec.name,
            source.shown(&rule.spec),
            prepared.as_secs_f64() * 1e3,
            took.as_secs_f64() * 1e6,
        );
        tracing::info!("{done}");
        Ok(done)
    }

    fn activate(
        &self,
        rule: &Managed,
        package: &Package,
        number: u64,
    ) -> Result<Revision, NotReplaced> {
        let candidate = Candidate {
            state: &rule.state,
            component: &package.component,
            number,
            settings: &rule.spec.settings,
            limits: rule.spec.limits,
            // Only the rule that is part of the gateway needs no grant.
            allow: (!package.is_embedded()).then_some(rule.spec.allow.as_slice()),
        };
        let revision = Revision::activate(&self.engines, self.cache.as_ref(), &candidate)
            .map_err(|error| NotReplaced::at(error.step(), error))?;
        if let Some(manifest) = &package.manifest {
            manifest
                .check_needs(revision.description())
                .map_err(|error| NotReplaced::at("describe", error))?;
            smoke(&revision, &manifest.vectors)
                .map_err(|error| NotReplaced::at("smoke vectors", error))?;
        }
        Ok(revision)
    }

    /// Lets a revision serve in place of the rule's current one. Returns how long the swap itself took.
    fn serve(&self, index: usize, activated: Activated) -> Result<Duration, NotReplaced> {
        let mounted = |(other, rule): (usize, &Managed)| {
            let serves = if other == index {
                Some(&activated)
            } else {
                rule.current.as_ref()
            };
            serves.map(|serves| Mounted {
                mount: rule.spec.mount.clone(),
                revision: serves.revision.clone(),
            })
        };
        let rules = self.rules.iter().enumerate().filter_map(mounted).collect();
        let table = Table::new(rules).map_err(|error| NotReplaced::at("mount", error))?;
        let began = Instant::now();
        self.serving.swap(table);
        Ok(began.elapsed())
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
            Err(_) => self.pause(index),
        }
    }

    fn pause(&mut self, index: usize) {
        let now = Instant::now();
        let rule = &mut self.rules[index];
        let (mut count, last_end) = rule.pauses;
        if last_end.is_some_and(|end| now.saturating_duration_since(end) > FORGIVEN) {
            count = 0;
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(count.min(16))).min(LONGEST_PAUSE);
        rule.pauses = (count + 1, Some(now + pause));
        rule.state.pause(Some(now + pause));
        tracing::error!(
            "rule {} is out of service for {} s: it fails, and there is nothing to go back to; replace it with `comatrix-gateway rules swap`",
            rule.spec.name,
            pause.as_secs()
        );
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
        self.serve(index, previous.clone())?;
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
                    Err(error) => Reply::Refused(error.reason),
                },
                None => unknown(&rule),
            },
        }
    }
}

impl Managed {
    fn status(&self) -> RuleStatus {
        let now = Instant::now();
        let current = self.current.as_ref();
        let digest = |activated: &Activated| format!("{:#}", activated.revision.digest());
        RuleStatus {
            name: self.spec.name.clone(),
            mount: format!("/{}", self.spec.mount.join("/")),
            revision: current.map(digest),
            number: current.map_or(0, |current| current.revision.number()),
            source: current.map_or_else(String::new, |current| current.source.clone()),
            signer: current.and_then(|current| current.signer.clone()),
            age_seconds: current.map_or(0, |current| current.since.elapsed().as_secs()),
            calls: current.map_or(0, |current| current.revision.calls()),
            in_flight: self.state.budget.in_flight(),
            previous: self.previous.as_ref().map(digest),
            paused_seconds: self.state.paused(now).map(|left| left.as_secs() + 1),
            limits_hit: self
                .state
                .budget
                .hits()
                .into_iter()
                .map(|(limit, count)| (limit.name().to_owned(), count))
                .collect(),
            failure: self.failure.clone(),
        }
    }
}
