//! The ticker behind the time limit of calls.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread::{self, Thread};
use std::time::Duration;

/// Interval at which the epoch advances while a call takes long.
const TICK: Duration = Duration::from_millis(2);
/// The same between calls and during ordinary ones, which take microseconds: to look every 2 ms whether one takes long
/// would wake a thread more often than a quiet gateway has requests. A metered call with a limit above 12 ms ends at
/// most one tick after it, as the CPU time is counted from its beginning; any other at most this and one tick.
const LONG_TICK: Duration = Duration::from_millis(8);

/// Advances the epoch while calls run, and sleeps otherwise: an idle gateway does not wake the CPU.
pub(super) struct Ticker {
    state: Arc<TickerState>,
    thread: Thread,
}

#[derive(Default)]
struct TickerState {
    running: AtomicU32,
    /// A call began since the last tick. Under load the ticker then keeps running, and calls do not have to wake it.
    called: AtomicBool,
    parked: AtomicBool,
}

/// Keeps the ticker running.
pub(crate) struct RunningCall<'a>(&'a TickerState);

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine) -> std::io::Result<Self> {
        let state = Arc::new(TickerState::default());
        let engine = engine.weak();
        let handle = thread::Builder::new()
            .name("epoch-ticker".into())
            .stack_size(64 << 10)
            .spawn({
                let state = state.clone();
                move || {
                    while let Some(engine) = engine.upgrade() {
                        engine.increment_epoch();
                        drop(engine);
                        let is_running = state.running.load(SeqCst) > 0;
                        if !state.called.swap(false, SeqCst) && !is_running {
                            state.parked.store(true, SeqCst);
                            // Either this load sees the call that has just begun, or that call sees `parked`.
                            if !state.called.load(SeqCst) {
                                thread::park();
                            }
                            state.parked.store(false, SeqCst);
                        }
                        thread::sleep(if is_running { TICK } else { LONG_TICK });
                    }
                }
            })?;
        Ok(Self {
            state,
            thread: handle.thread().clone(),
        })
    }

    /// Ticks until this much of a call that begins now has passed. The ticker runs at least until the guard is dropped.
    pub(super) fn begin(&self, time: Duration) -> (u64, RunningCall<'_>) {
        // One more: the current tick has partly passed.
        let ticks =
            u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX - 1) + 1;
        self.state.running.fetch_add(1, SeqCst);
        self.state.called.store(true, SeqCst);
        if self.state.parked.load(SeqCst) {
            self.thread.unpark();
        }
        (ticks, RunningCall(&self.state))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The engine is dropped too, so the thread cannot upgrade its reference and ends.
        self.thread.unpark();
    }
}
