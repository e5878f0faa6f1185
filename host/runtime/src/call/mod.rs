//! One call of a rule: in a fresh store and instance, with limits, dropped at the end.

pub(crate) mod exports;
pub(crate) mod function;
pub(crate) mod scrub;
pub(crate) mod sensitive_inputs;

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{ResourceLimiter, Store, StoreContextMut, Trap as WasmTrap, UpdateDeadline};

use super::engine::{Engine, RunningCall};
use super::limits::RuleLimits;
use contract::bindings::comatrix::gateway::{log, types};

/// Lines that a call may log; a translation needs fewer.
const LOG_LINES_PER_CALL: usize = 16;
/// Bytes of a rule's log message: the bound of a log line.
const LOG_LINE_BYTES: usize = 512;
/// Elements of a table, 8 bytes each: an interpreter has some thousand functions.
const TABLE_ELEMENTS: usize = 20_000;

/// Bytes of a call's result without body and state: options, paths, queries, headers, or a whole description.
const RESULT_BYTES: usize = 256 << 10;

/// Wall-clock time after which a call's CPU time is first checked: a hundred times that of an ordinary call, so that
/// ordinary calls do not pay for the check.
const FIRST_CHECK: Duration = Duration::from_millis(4);

/// A call ended without a result. The exchange ends with 5.00.
#[derive(Debug, thiserror::Error)]
pub enum Trap {
    /// It took more CPU time than its limit.
    #[error(
        "rule {rule} took more than {limit_ms} ms of CPU time and was ended; raise its limit call_ms or correct the \
         rule"
    )]
    TimedOut {
        /// The rule's name.
        rule: Arc<str>,
        /// Its limit.
        limit_ms: u128,
    },
    /// It needed more memory than its limit.
    #[error(
        "rule {rule} needed more than {limit} bytes of memory and was ended; raise its limit memory or correct the rule"
    )]
    OutOfMemory {
        /// The rule's name.
        rule: Arc<str>,
        /// Its limit.
        limit: usize,
    },
    /// It trapped, for example by a panic or a recursion that is too deep.
    #[error("rule {rule} trapped: {cause}; its author can reproduce it with the same request")]
    Trapped {
        /// The rule's name.
        rule: Arc<str>,
        /// WebAssembly's reason.
        cause: String,
    },
}

/// The lines that a call logged: level and text, cut but not yet scrubbed.
pub(crate) type Lines = Vec<(u8, String)>;

/// The state of one call for its imports.
pub(crate) struct CallState {
    limits: RuleLimits,
    out_of_memory: bool,
    lines: Lines,
    /// The thread's CPU time when the call began: of a metered call from the beginning, else estimated at the first
    /// check.
    began: Option<Duration>,
}

impl CallState {
    fn store(engine: &Engine, limits: &RuleLimits, began: Option<Duration>) -> Store<Self> {
        let state = Self {
            limits: *limits,
            out_of_memory: false,
            lines: Vec::new(),
            began,
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| state);
        // Bounds the memory of a result while the host copies it out of the instance: no epoch ends that.
        store.set_hostcall_fuel(limits.body + limits.state + RESULT_BYTES);
        store.epoch_deadline_callback(check_cpu_time);
        store
    }

    /// The lines that the call logged.
    pub(crate) fn take_lines(&mut self) -> Lines {
        std::mem::take(&mut self.lines)
    }

    /// The runtime's error as a [`Trap`], without a backtrace: a router's log is for its operator.
    pub(crate) fn trap(&self, rule: &Arc<str>, error: &wasmtime::Error) -> Trap {
        let rule = rule.clone();
        if self.out_of_memory {
            let limit = self.limits.memory;
            return Trap::OutOfMemory { rule, limit };
        }
        match error.downcast_ref::<WasmTrap>() {
            Some(WasmTrap::Interrupt) => Trap::TimedOut {
                rule,
                limit_ms: self.limits.call_time.as_millis(),
            },
            Some(other) => Trap::Trapped {
                rule,
                cause: other.to_string(),
            },
            None => Trap::Trapped {
                rule,
                cause: contract::escaping::escaped(&error.root_cause().to_string(), 200),
            },
        }
    }
}

/// A store with the limits of one call; its time begins now. `began`: the thread's CPU time, if the call is metered.
pub(crate) fn begin<'a>(
    engine: &'a Engine,
    limits: &RuleLimits,
    began: Option<Duration>,
) -> (Store<CallState>, RunningCall<'a>) {
    let mut store = CallState::store(engine, limits, began);
    let (ticks, running) = engine.begin_call(FIRST_CHECK.min(limits.call_time));
    store.set_epoch_deadline(ticks);
    (store, running)
}

/// Growth beyond a limit ends the call: no rule handles a refusal of memory.
impl ResourceLimiter for CallState {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired <= self.limits.memory {
            return Ok(true);
        }
        self.out_of_memory = true;
        Err(wasmtime::format_err!("more memory than the rule's limit"))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired <= TABLE_ELEMENTS {
            return Ok(true);
        }
        Err(wasmtime::format_err!(
            "a table of more than {TABLE_ELEMENTS} elements"
        ))
    }

    fn instances(&self) -> usize {
        16
    }

    fn tables(&self) -> usize {
        8
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

/// Ends a call that has used its CPU time. Time in which the thread waits for a CPU does not count: a busy
/// router must not turn messages into errors.
// The runtime's signature wants a `Result`.
#[allow(clippy::unnecessary_wraps)]
fn check_cpu_time(mut store: StoreContextMut<'_, CallState>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    let now = thread_cpu_time();
    let call_time = state.limits.call_time;
    let began = *state
        .began
        .get_or_insert(now.saturating_sub(FIRST_CHECK.min(call_time)));
    Ok(if now.saturating_sub(began) < call_time {
        UpdateDeadline::Continue(1)
    } else {
        UpdateDeadline::Interrupt
    })
}

pub(crate) fn thread_cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(now.tv_sec.unsigned_abs(), nanoseconds)
}

impl types::Host for CallState {}

impl log::Host for CallState {
    /// Keeps the lines until the end of the call: then they are scrubbed of its inputs.
    fn write(&mut self, level: u8, mut message: String) {
        if self.lines.len() < LOG_LINES_PER_CALL {
            message.truncate(message.floor_char_boundary(LOG_LINE_BYTES));
            message.shrink_to_fit();
            self.lines.push((level, message));
        }
    }
}
