//! What stays of a rule while its revisions come and go: its name, its accounts, and whether it is out of service.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Revision;
use super::budget::Budget;
use crate::call::Lines;
use crate::call::scrub::{ANSWER_RUN, DEVICE_RUN, scrub, texts};
use crate::call::sensitive_inputs::SensitiveInputs;
use crate::limits::RuleLimits;
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of a log line.
const LINE_BYTES: usize = 512;

/// A revision fails more often than it works.
#[derive(Clone)]
pub struct Alarm {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The revision. It may be gone when the alarm is heard, and another one of the same code in its place.
    pub revision: Weak<Revision>,
    /// Its code.
    pub digest: Digest,
}

/// Who hears of failing revisions.
pub type FailureSink = Arc<dyn Fn(Alarm) + Send + Sync>;

/// Shared by all revisions of a rule.
pub struct RuleAccounting {
    name: Arc<str>,
    /// What it has used.
    pub budget: Arc<Budget>,
    paused_until: Mutex<Option<Instant>>,
    traps: AtomicU64,
    bell: Option<FailureSink>,
}

impl RuleAccounting {
    /// Nothing used yet, in service. `bell` hears of failing revisions.
    #[must_use]
    pub fn new(name: &str, limits: RuleLimits, bell: Option<FailureSink>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            budget: Arc::new(Budget::new(limits)),
            paused_until: Mutex::new(None),
            traps: AtomicU64::new(0),
            bell,
        })
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn count_trap(&self) {
        self.traps.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls that gave no result: they took too long, wanted too much memory, or trapped.
    #[must_use]
    pub fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    /// Takes the rule out of service until then; at once back into it with none.
    pub fn pause(&self, until: Option<Instant>) {
        *self.lock() = until;
    }

    /// How long the rule stays out of service; none while it serves.
    #[must_use]
    pub fn paused(&self, now: Instant) -> Option<Duration> {
        let until = (*self.lock())?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn alarm(&self, revision: &Arc<Revision>, peer: IpAddr) {
        let digest = revision.digest();
        tracing::error!(
            "rule {}@{digest} fails on half of its calls, the last one for {}",
            self.name,
            peer.to_canonical()
        );
        if let Some(bell) = &self.bell {
            bell(Alarm {
                rule: self.name.clone(),
                revision: Arc::downgrade(revision),
                digest,
            });
        }
    }

    /// Writes what a call logged: scrubbed of what the call was given, escaped, and not more than the rule may.
    pub(crate) fn log(&self, lines: Lines, given: &SensitiveInputs<'_>) {
        let now = Instant::now();
        let (levels, mut messages): (Vec<u8>, Vec<String>) = lines
            .into_iter()
            .filter(|_| self.budget.admit_line(now))
            .unzip();
        if messages.is_empty() {
            return;
        }
        let read: Vec<Vec<u8>> = given.device.iter().flat_map(|text| texts(text)).collect();
        let device = given.device.iter().copied();
        let device: Vec<&[u8]> = device.chain(read.iter().map(Vec::as_slice)).collect();
        scrub(&mut messages, &device, DEVICE_RUN);
        let read = texts(given.answer);
        let answer = read.iter().map(Vec::as_slice);
        let answer: Vec<&[u8]> = answer.chain([given.answer]).collect();
        scrub(&mut messages, &answer, ANSWER_RUN);
        for (level, message) in levels.into_iter().zip(messages) {
            let (rule, message) = (&self.name, escaped(&message, LINE_BYTES));
            match level {
                1 => tracing::error!("rule {rule}: {message}"),
                2 => tracing::warn!("rule {rule}: {message}"),
                3 => tracing::info!("rule {rule}: {message}"),
                _ => tracing::debug!("rule {rule}: {message}"),
            }
        }
    }
}
