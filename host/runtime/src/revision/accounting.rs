//! The accounting of a rule, which outlives its revisions: its name, its budget, and whether it is out of service.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::revision_id::RevisionId;
use crate::call::Lines;
use crate::call::scrub::{DEVICE_RUN, HTTP_RUN, scrub, texts};
use crate::call::sensitive_inputs::SensitiveInputs;
use crate::limits::RuleLimits;
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of a log line.
const LINE_BYTES: usize = 512;

/// A revision fails on half of its calls or more.
#[derive(Clone)]
pub struct Alarm {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The revision. By the time that the alarm is handled, it may have been replaced.
    pub revision: RevisionId,
    /// Its component.
    pub digest: Digest,
}

/// Receives the alarms of failing revisions.
pub type FailureSink = Arc<dyn Fn(Alarm) + Send + Sync>;

/// Shared by all revisions of a rule.
pub struct RuleAccounting {
    name: Arc<str>,
    /// Its use of its limits.
    pub budget: Arc<Budget>,
    paused_until: Mutex<Option<Instant>>,
    traps: AtomicU64,
    failure_sink: Option<FailureSink>,
}

impl RuleAccounting {
    /// Unused and in service. `failure_sink` gets the alarms of failing revisions.
    #[must_use]
    pub fn new(name: &str, limits: RuleLimits, failure_sink: Option<FailureSink>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            budget: Arc::new(Budget::new(limits)),
            paused_until: Mutex::new(None),
            traps: AtomicU64::new(0),
            failure_sink,
        })
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn count_trap(&self) {
        self.traps.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls without a result: they took too long, needed too much memory, or trapped.
    #[must_use]
    pub fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    /// Takes the rule out of service until then; none puts it back into service.
    pub fn pause(&self, until: Option<Instant>) {
        *self.lock() = until;
    }

    /// The time that the rule stays out of service; none while it is in service.
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

    pub(super) fn alarm(&self, revision: RevisionId, digest: Digest, peer: IpAddr) {
        tracing::error!(
            "rule {}@{digest} fails on half of its calls, the last one for {}",
            self.name,
            peer.to_canonical()
        );
        if let Some(sink) = &self.failure_sink {
            sink(Alarm {
                rule: self.name.clone(),
                revision,
                digest,
            });
        }
    }

    /// Writes the lines that a call logged: without its inputs, escaped, and at most as many as the rule may log.
    pub(super) fn log(&self, lines: Lines, inputs: &SensitiveInputs<'_>) {
        let now = Instant::now();
        let (levels, mut messages): (Vec<u8>, Vec<String>) = lines
            .into_iter()
            .filter(|_| self.budget.admit_line(now))
            .unzip();
        if messages.is_empty() {
            return;
        }
        let decoded: Vec<Vec<u8>> = inputs.device.iter().flat_map(|text| texts(text)).collect();
        let device = inputs.device.iter().copied();
        let device: Vec<&[u8]> = device.chain(decoded.iter().map(Vec::as_slice)).collect();
        scrub(&mut messages, &device, DEVICE_RUN);
        let decoded = texts(inputs.http_body);
        let body = decoded.iter().map(Vec::as_slice);
        let body: Vec<&[u8]> = body.chain([inputs.http_body]).collect();
        scrub(&mut messages, &body, HTTP_RUN);
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
