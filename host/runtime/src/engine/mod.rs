//! The engine that all rules share, its pool of instances, and the ticker behind the time limit.

#[cfg(feature = "compiler")]
pub(crate) mod cache;
#[cfg(not(feature = "compiler"))]
#[path = "no_cache.rs"]
pub(crate) mod cache;
#[cfg(feature = "compiler")]
pub(crate) mod compile;
#[cfg(feature = "compiler")]
pub mod compile_component;
#[cfg(feature = "compiler")]
pub(crate) mod compiler;
#[cfg_attr(
    not(feature = "compiler"),
    allow(dead_code, reason = "settings of the compiler")
)]
mod config;
pub(crate) mod native;
pub(crate) mod rule_binary;
pub(crate) mod target;

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::revision::limits::RuleLimits;
#[cfg(feature = "compiler")]
use compiler::Compiler;
use config::Size;
#[cfg(feature = "compiler")]
use contract::escaping::escaped;

/// How often the epoch advances while calls are made. A call ends at most one tick after its limit.
const TICK: Duration = Duration::from_millis(2);
/// Slots of the pool for large rules. Where addresses are scarce, as many as one component can have.
const LARGE_MEMORIES: u32 = if cfg!(target_pointer_width = "64") {
    16
} else {
    Engine::MAX_MEMORIES as u32
};

/// The version of the runtime, from the lock file: native code is only loaded by the very version that it was made with.
pub(crate) const RUNTIME: &str = env!("COMATRIX_RUNTIME");

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
    #[cfg(feature = "compiler")]
    is_large: bool,
    ticker: Arc<Ticker>,
}

/// The engine of each size of rule. The one of large rules is made when the first of them comes.
#[derive(Clone)]
pub struct Engines {
    small: Engine,
    large: Arc<OnceLock<Engine>>,
    #[cfg(feature = "compiler")]
    compiler: Compiler,
}

impl Engines {
    /// Starts the engine of ordinary rules. Components are compiled in this process, where there is a compiler.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    pub fn new() -> Result<Self, EngineError> {
        Ok(Self {
            small: Engine::new()?,
            large: Arc::default(),
            #[cfg(feature = "compiler")]
            compiler: Compiler::default(),
        })
    }

    /// The same, with another compiler.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    #[cfg(feature = "compiler")]
    pub fn compiling(compiler: Compiler) -> Result<Self, EngineError> {
        Ok(Self {
            compiler,
            ..Self::new()?
        })
    }

    #[cfg(feature = "compiler")]
    pub(crate) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The engine whose instances are as large as these limits ask for.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    pub fn fit(&self, limits: &RuleLimits) -> Result<Engine, EngineError> {
        if Engine::size(limits) == Size::Small {
            return Ok(self.small.clone());
        }
        if let Some(large) = self.large.get() {
            return Ok(large.clone());
        }
        let large = Engine::with(Size::Large, large_pool())?;
        Ok(self.large.get_or_init(|| large).clone())
    }
}

impl Engine {
    /// Bytes of memory that an instance of an ordinary rule can have: the size of a slot of the pool.
    pub const SMALL_MEMORY: usize = Size::Small.memory();
    /// Bytes of memory that any instance can have: an interpreter in a component wants tens of megabytes.
    pub const MAX_MEMORY: usize = Size::Large.memory();
    /// Memories that any instance can have.
    pub const MAX_MEMORIES: usize = 4;

    /// Starts the runtime of ordinary rules and its ticker thread.
    ///
    /// # Errors
    /// [`EngineError`] when the pool cannot be mapped or the ticker's thread cannot be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::with(Size::Small, small_pool())
    }

    fn with(size: Size, pool: PoolingAllocationConfig) -> Result<Self, EngineError> {
        let mut config = config::config(size, RUNTIME);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = wasmtime::Engine::new(&config).map_err(EngineError)?;
        let ticker = Ticker::start(&engine).map_err(|error| EngineError(error.into()))?;
        Ok(Self {
            engine,
            #[cfg(feature = "compiler")]
            is_large: size == Size::Large,
            ticker: Arc::new(ticker),
        })
    }

    /// Native code of a component for this engine, made in this process.
    ///
    /// # Errors
    /// The compiler's reason.
    #[cfg(feature = "compiler")]
    pub fn precompile(&self, component: &[u8]) -> Result<Vec<u8>, String> {
        let compiled = self.engine.precompile_component(component);
        compiled.map_err(|error| escaped(&format!("{error:#}"), 300))
    }

    /// Whether it is the one of large rules.
    #[cfg(feature = "compiler")]
    pub(crate) fn is_large(&self) -> bool {
        self.is_large
    }

    /// The size of rules with these limits.
    pub(crate) fn size(limits: &RuleLimits) -> Size {
        match limits.memory <= Self::SMALL_MEMORY && limits.memories <= 1 {
            true => Size::Small,
            false => Size::Large,
        }
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Ticks until this much of a call that begins now has passed. The ticker runs at least until the guard is dropped.
    pub(crate) fn begin_call(&self, time: Duration) -> (u64, RunningCall<'_>) {
        // One more: the current tick has partly passed.
        let ticks =
            u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX - 1) + 1;
        (ticks, self.ticker.begin())
    }
}

/// Small slots keep the virtual size of the process at tens of megabytes.
fn small_pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    // Calls are synchronous on one thread, so few instances live at once; the rest is room for activation beside it.
    pool.total_component_instances(8)
        .total_core_instances(24)
        .total_memories(8)
        .total_tables(16)
        .max_memory_size(Engine::SMALL_MEMORY)
        // A slot is reset by zeroing what a call touched, not by unmapping: page faults are most of a call's cost. A
        // rule starts with 64 KiB; to copy them is faster than to ask the kernel which of them were touched.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(4096)
        .max_unused_warm_slots(4)
        .pagemap_scan(Enabled::No);
    pool
}

/// For interpreters: several memories and tables, and a deep stack.
fn large_pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(4)
        .total_core_instances(64)
        .max_core_instances_per_component(16)
        .max_memories_per_component(Engine::MAX_MEMORIES as u32)
        .total_memories(LARGE_MEMORIES)
        .max_tables_per_component(8)
        .total_tables(32)
        .max_memory_size(Engine::MAX_MEMORY)
        // Few of many pages are touched: here the kernel's answer is worth its price.
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(1)
        .pagemap_scan(Enabled::Auto);
    pool
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
pub(crate) struct RunningCall<'a>(&'a TickerState);

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
