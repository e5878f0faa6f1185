//! Components as native code, and what an instance begins with.

use super::engine::Engine;
use super::revision::Revision;
use crate::access_log::escaped;

/// Bytes of a page of linear memory.
const PAGE: u64 = 64 << 10;

/// The compiler's reason.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a WebAssembly component for this gateway: {0}; build it with `comatrix-gateway rule build`"
)]
pub struct CompileError(String);

/// What an instance of a component holds before its first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Linear memories; more than one is refused.
    pub memories: u32,
    /// Bytes of the largest.
    pub memory: u64,
}

/// The native code of a component for this processor, this version and this configuration of the runtime.
///
/// # Errors
/// [`CompileError`].
pub fn compile(engine: &Engine, component: &[u8]) -> Result<Vec<u8>, CompileError> {
    engine
        .wasmtime()
        .precompile_component(component)
        .map_err(|error| CompileError(escaped(&format!("{error:#}"), 400)))
}

impl Revision {
    /// What an instance begins with; none where that is not known before it is linked.
    #[must_use]
    pub fn footprint(&self) -> Option<Footprint> {
        let required = self.pre.component().resources_required()?;
        Some(Footprint {
            memories: required.num_memories,
            memory: required.max_initial_memory_size.unwrap_or(0) * PAGE,
        })
    }
}
