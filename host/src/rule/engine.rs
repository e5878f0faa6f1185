//! The engine that all rules share, its pool of instances, and the ticker behind the time limit.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often the epoch advances while calls are made. A call ends at most one tick after its limit.
const TICK: Duration = Duration::from_millis(2);

/// What one call of a rule may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleLimits {
    /// CPU time per call. A translation takes microseconds; 20 ms is a bound on what a faulty rule costs others.
    pub call_time: Duration,
    /// Linear memory per instance in bytes, at most [`Engine::MAX_MEMORY`]. A homeserver's answer of 1 MiB and
    /// what is read from it must fit.
    pub memory: usize,
    /// Bytes of `step.state`: it is kept for each exchange that waits for a homeserver.
    pub state: usize,
    /// Homeserver calls per exchange: enough for an alias and five pages, and an end to a rule that asks on.
    pub steps: u32,
}

impl Default for RuleLimits {
    fn default() -> Self {
        Self {
            call_time: Duration::from_millis(20),
            memory: 2 << 20,
            state: 16 << 10,
            steps: 6,
        }
    }
}

/// The machine cannot run rules.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot start the WebAssembly runtime: {0:#}; check that this CPU and its memory limit (ulimit -v) suffice"
)]
pub struct EngineError(wasmtime::Error);

/// Compiles and runs components. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    ticker: Arc<Ticker>,
}

impl Engine {
    /// The most memory an instance can be given, in bytes: the size of a slot of the pool.
    pub const MAX_MEMORY: usize = 2 << 20;

    /// Starts the runtime and its ticker thread.
    ///
    /// # Errors
    /// [`EngineError`] when the pool cannot be mapped or the ticker's thread cannot be started.
    pub fn new() -> Result<Self, EngineError> {
        let engine = wasmtime::Engine::new(&config()).map_err(EngineError)?;
        let ticker = Ticker::start(&engine).map_err(|error| EngineError(error.into()))?;
        Ok(Self {
            engine,
            ticker: Arc::new(ticker),
        })
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Ticks until this much of a call that begins now has passed. The ticker runs at least until the guard is dropped.
    pub(super) fn begin_call(&self, time: Duration) -> (u64, RunningCall<'_>) {
        // One more: the current tick has partly passed.
        let ticks =
            u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX - 1) + 1;
        (ticks, self.ticker.begin())
    }
}

/// Every setting that compiler and runtime must share stands here: compiled code is only loaded by an engine of the
/// same configuration.
fn config() -> Config {
    let mut pool = PoolingAllocationConfig::default();
    // Calls are synchronous on one thread, so few instances live at once; the rest is room for activation
    // beside it. Small slots keep the virtual size of the process at tens of megabytes.
    pool.total_component_instances(8)
        .total_core_instances(24)
        .total_memories(8)
        .total_tables(16)
        .max_memory_size(Engine::MAX_MEMORY)
        // A slot is reset by zeroing what a call touched, not by unmapping: page faults are most of a call's cost.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(4096)
        .max_unused_warm_slots(4)
        .pagemap_scan(Enabled::No);

    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .memory_init_cow(true)
        .memory_reservation(Engine::MAX_MEMORY as u64)
        .memory_guard_size(0)
        .memory_reservation_for_growth(0)
        .max_wasm_stack(128 << 10)
        .generate_address_map(false);
    config
}

/// Advances the epoch while calls are made, and sleeps otherwise: an idle gateway does not wake the CPU.
struct Ticker {
    state: Arc<TickerState>,
    thread: Thread,
}

#[derive(Default)]
struct TickerState {
    running: AtomicU32,
    /// A call began since the last tick. Under load the ticker then goes on, and calls pay no wake-up.
    called: AtomicBool,
    parked: AtomicBool,
}

/// Keeps the ticker running.
pub(super) struct RunningCall<'a>(&'a TickerState);

impl Drop for RunningCall<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Ticker {
    fn start(engine: &wasmtime::Engine) -> std::io::Result<Self> {
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
                        if !state.called.swap(false, SeqCst) && state.running.load(SeqCst) == 0 {
                            state.parked.store(true, SeqCst);
                            // Either this load sees the call that just began, or that call sees `parked`.
                            if !state.called.load(SeqCst) {
                                thread::park();
                            }
                            state.parked.store(false, SeqCst);
                        }
                        thread::sleep(TICK);
                    }
                }
            })?;
        Ok(Self {
            state,
            thread: handle.thread().clone(),
        })
    }

    fn begin(&self) -> RunningCall<'_> {
        self.state.running.fetch_add(1, SeqCst);
        self.state.called.store(true, SeqCst);
        if self.state.parked.load(SeqCst) {
            self.thread.unpark();
        }
        RunningCall(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The engine goes with it, so the thread finds nothing to upgrade and ends.
        self.thread.unpark();
    }
}
