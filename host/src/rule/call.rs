//! One call of a rule: a fresh store and instance, limits set, torn down at the end.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{
    Store, StoreContextMut, StoreLimits, StoreLimitsBuilder, Trap as WasmTrap, UpdateDeadline,
};

use super::bindings::comatrix::gateway::{log, types};
use super::engine::{Engine, RuleLimits};

/// Lines a call may log; a translation that has more to say is faulty.
const LOG_LINES_PER_CALL: u32 = 16;
/// Bytes of a rule's log message: the log line's own bound.
const LOG_LINE_BYTES: usize = 512;

/// Wall-clock time after which a call's CPU time is first looked at: a hundred times an ordinary call, so that
/// ordinary calls do not pay for the look.
pub(super) const FIRST_LOOK: Duration = Duration::from_millis(4);

/// Why a call gave no result. The exchange ends with 5.00.
#[derive(Debug, thiserror::Error)]
pub enum Trap {
    /// It took more CPU time than its limit.
    #[error(
        "rule {rule} took more than {limit_ms} ms of CPU time and was ended; raise [limits] rule_call_ms or mend the rule"
    )]
    TimedOut {
        /// The rule's name.
        rule: Arc<str>,
        /// Its limit.
        limit_ms: u128,
    },
    /// It trapped: a panic, memory above the limit, too deep a recursion.
    #[error("rule {rule} trapped: {cause}; its author can find out with the same request")]
    Trapped {
        /// The rule's name.
        rule: Arc<str>,
        /// WebAssembly's reason.
        cause: String,
    },
}

/// What the imports of one call can see.
pub(super) struct CallState {
    rule: Arc<str>,
    limits: StoreLimits,
    logged: u32,
    call_time: Duration,
    /// The thread's CPU time when the call began, known from the first look on.
    began: Option<Duration>,
}

impl CallState {
    pub(super) fn store(engine: &Engine, rule: &Arc<str>, limits: &RuleLimits) -> Store<Self> {
        let state = Self {
            rule: rule.clone(),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory)
                .memories(1)
                .instances(8)
                .tables(4)
                .table_elements(10_000)
                .trap_on_grow_failure(true)
                .build(),
            logged: 0,
            call_time: limits.call_time,
            began: None,
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| &mut state.limits);
        store.epoch_deadline_callback(look);
        store
    }
}

/// Ends a call that has used its CPU time. What passes while the thread waits for a CPU does not count: a busy
/// router must not turn messages into errors.
// The runtime's signature wants a `Result`.
#[allow(clippy::unnecessary_wraps)]
fn look(mut store: StoreContextMut<'_, CallState>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    let now = thread_cpu_time();
    let first_look = FIRST_LOOK.min(state.call_time);
    let began = *state.began.get_or_insert(now.saturating_sub(first_look));
    Ok(if now.saturating_sub(began) < state.call_time {
        UpdateDeadline::Continue(1)
    } else {
        UpdateDeadline::Interrupt
    })
}

fn thread_cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(now.tv_sec.unsigned_abs(), nanoseconds)
}

impl types::Host for CallState {}

impl log::Host for CallState {
    fn write(&mut self, level: u8, message: String) {
        self.logged = self.logged.saturating_add(1);
        if self.logged > LOG_LINES_PER_CALL {
            return;
        }
        let rule = &*self.rule;
        let message = crate::access_log::escaped(&message, LOG_LINE_BYTES);
        match level {
            1 => tracing::error!("rule {rule}: {message}"),
            2 => tracing::warn!("rule {rule}: {message}"),
            3 => tracing::info!("rule {rule}: {message}"),
            _ => tracing::debug!("rule {rule}: {message}"),
        }
    }
}

/// Turns the runtime's error into [`Trap`], without a backtrace: a router's log is for its operator.
pub(super) fn trap(rule: &Arc<str>, limits: &RuleLimits, error: &wasmtime::Error) -> Trap {
    match error.downcast_ref::<WasmTrap>() {
        Some(WasmTrap::Interrupt) => Trap::TimedOut {
            rule: rule.clone(),
            limit_ms: limits.call_time.as_millis(),
        },
        Some(other) => Trap::Trapped {
            rule: rule.clone(),
            cause: other.to_string(),
        },
        None => Trap::Trapped {
            rule: rule.clone(),
            cause: error.root_cause().to_string(),
        },
    }
}
