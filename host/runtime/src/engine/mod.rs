//! The engine that rules of one size share.

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
pub(crate) mod engines;
pub(crate) mod native;
pub(crate) mod native_statement;
mod pool;
pub(crate) mod rule_binary;
pub(crate) mod target;
mod ticker;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::InstanceAllocationStrategy;

use crate::limits::RuleLimits;
use config::Size;
#[cfg(feature = "compiler")]
use contract::escaping::escaped;
use pool::pool;
pub(crate) use ticker::RunningCall;
use ticker::Ticker;

/// The version of the runtime, from the lock file: it loads only native code of exactly this version.
const RUNTIME: &str = env!("COMATRIX_RUNTIME");

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

impl Engine {
    /// Bytes of memory of an instance of an ordinary rule: the size of a slot of the pool.
    pub const SMALL_MEMORY: usize = Size::Small.memory();
    /// Bytes of memory of any instance: an interpreter in a component needs tens of megabytes.
    pub const MAX_MEMORY: usize = Size::Large.memory();
    /// Linear memories of any instance.
    pub const MAX_MEMORIES: usize = pool::MAX_MEMORIES as usize;

    /// Starts the runtime of ordinary rules and its ticker thread.
    ///
    /// # Errors
    /// [`EngineError`]: the pool cannot be mapped, or the ticker's thread cannot be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::of(Size::Small)
    }

    /// Starts the runtime of rules of this size.
    fn of(size: Size) -> Result<Self, EngineError> {
        let mut config = config::config(size, RUNTIME);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(size)));
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

    /// Whether it is the engine of large rules.
    #[cfg(feature = "compiler")]
    fn is_large(&self) -> bool {
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
        self.ticker.begin(time)
    }
}
