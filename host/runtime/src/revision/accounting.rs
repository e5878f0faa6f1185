//! The accounting of a rule, which outlives its revisions: its name, its budget, and whether it is out of service.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::call_input::FailedCall;
use super::revision_id::RevisionId;
use crate::call::Lines;
use crate::call::scrub::{DEVICE_RUN, HTTP_RUN, scrub, texts};
use crate::call::sensitive_inputs::SensitiveInputs;
use crate::limits::RuleLimits;
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of a log line.
const LINE_BYTES: usize = 512;

/// While a rule is paused, one call in this time is tried. If it has a result, the pause ends.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// A revision fails on half of its calls or more.
pub struct Alarm {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The revision. By the time that the alarm is handled, it may have been replaced.
    pub revision: RevisionId,
    /// Its component.
    pub digest: Digest,
    /// Whether none of these calls had a result.
    pub nothing_works: bool,
    /// Inputs of some of the failed calls.
    pub failed: Vec<FailedCall>,
    /// Dropped with the alarm; until then the rule raises no other one.
    pub pending: Option<PendingAlarm>,
}

/// The place of a rule's alarm: it has one, so that alarms with their inputs do not pile up while rules are compiled.
pub struct PendingAlarm(Arc<RuleAccounting>);

impl Drop for PendingAlarm {
    fn drop(&mut self) {
        self.0.alarm_is_pending.store(false, Ordering::Relaxed);
    }
}

/// Receives the alarms of failing revisions.
pub type FailureSink = Arc<dyn Fn(Alarm) + Send + Sync>;

/// A time out of service.
#[derive(Default)]
struct Pause {
    until: Option<Instant>,
    /// When the next call is tried.
    next_probe: Option<Instant>,
    /// Whether a call had a result since the last pause began.
    worked: bool,
}

/// Shared by all revisions of a rule.
pub struct RuleAccounting {
    name: Arc<str>,
    /// Its use of its limits.
    pub budget: Arc<Budget>,
    pause: Mutex<Pause>,
    /// Whether there may be a pause: calls of a rule in service do not lock `pause`.
    may_be_paused: AtomicBool,
    traps: AtomicU64,
    alarm_is_pending: AtomicBool,
    failure_sink: Option<FailureSink>,
}

impl RuleAccounting {
    /// Unused and in service. `failure_sink` gets the alarms of failing revisions.
    #[must_use]
    pub fn new(name: &str, limits: RuleLimits, failure_sink: Option<FailureSink>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            budget: Arc::new(Budget::new(limits)),
            pause: Mutex::default(),
            may_be_paused: AtomicBool::new(false),
            traps: AtomicU64::new(0),
            alarm_is_pending: AtomicBool::new(false),
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
    pub fn pause(&self, now: Instant, until: Option<Instant>) {
        *self.lock() = Pause {
            until,
            next_probe: Some(now + PROBE_INTERVAL),
            worked: false,
        };
        self.may_be_paused.store(until.is_some(), Ordering::Relaxed);
    }

    /// The time that the rule stays out of service; none while it is in service.
    #[must_use]
    pub fn paused(&self, now: Instant) -> Option<Duration> {
        if !self.may_be_paused.load(Ordering::Relaxed) {
            return None;
        }
        let left = self.lock().until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// As [`paused`](Self::paused), for a call that could be made now: from time to time one is tried during a pause.
    ///
    /// # Errors
    /// The time that the rule stays out of service.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let Some(left) = self.paused(now) else {
            return Ok(());
        };
        let mut pause = self.lock();
        if pause.next_probe.is_some_and(|next| now < next) {
            return Err(left);
        }
        pause.next_probe = Some(now + PROBE_INTERVAL);
        Ok(())
    }

    /// A call had a result: the rule works, at least for some.
    pub(super) fn end_pause(&self) {
        if self.may_be_paused.load(Ordering::Relaxed) {
            self.may_be_paused.store(false, Ordering::Relaxed);
            let mut pause = self.lock();
            (pause.until, pause.worked) = (None, true);
        }
    }

    /// Whether a call had a result since the last pause began.
    #[must_use]
    pub fn worked_since_pause(&self) -> bool {
        self.lock().worked
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn alarm(self: &Arc<Self>, mut alarm: Alarm) {
        tracing::error!(
            "rule {}@{} fails on half of its calls or more",
            self.name,
            alarm.digest
        );
        let Some(sink) = &self.failure_sink else {
            return;
        };
        if !self.alarm_is_pending.swap(true, Ordering::Relaxed) {
            alarm.pending = Some(PendingAlarm(self.clone()));
            sink(alarm);
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
