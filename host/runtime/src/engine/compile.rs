//! Compiles components to native code.

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;

use super::cache::Cache;
use super::compiler::Compiler;
use super::config;
use super::native::deserialize;
use super::target::Target;
use super::{Engine, RUNTIME};
use crate::limits::RuleLimits;
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of an ordinary rule's component: the default rule has 150 KB, a rule with tables and an SDK a few times that.
const MAX_SMALL_COMPONENT: usize = 4 << 20;
/// Bytes of one of its functions. The largest of the default rule has 8 KiB; this takes a second to compile.
const MAX_SMALL_FUNCTION: usize = 64 << 10;
/// Bytes of a function of an interpreter.
const MAX_FUNCTION: usize = 256 << 10;

/// The compiler's reason.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a WebAssembly component for this gateway: {0}; build it with `comatrix-gateway rule build`"
)]
pub struct CompileError(String);

/// A component that this gateway does not compile.
#[derive(Debug)]
pub(crate) enum Uncompiled {
    /// The part of it that is too large.
    TooLarge(String),
    /// The compiler's reason.
    Refused(wasmtime::Error),
}

/// The native code of a component for any processor of this kind, this version and these settings of the runtime.
///
/// # Errors
/// [`CompileError`].
pub fn compile(
    target: Target,
    limits: &RuleLimits,
    component: &[u8],
) -> Result<Vec<u8>, CompileError> {
    let make = || {
        let mut config = config::config(Engine::size(limits), RUNTIME);
        // With an explicit target, the compiler uses no feature that only this machine has.
        config.target(target.triple())?;
        wasmtime::Engine::new(&config)?.precompile_component(component)
    };
    make().map_err(|error| CompileError(escaped(&format!("{error:#}"), 400)))
}

/// The native code of a component for this machine: from the cache, or compiled now and kept there. `memory`: the
/// rule's limit.
pub(crate) fn compiled(
    compiler: &Compiler,
    engine: &Engine,
    cache: Option<&Cache>,
    memory: usize,
    component: &[u8],
) -> Result<Component, Uncompiled> {
    check_size(memory, component).map_err(Uncompiled::TooLarge)?;
    let digest = Digest::of(component);
    cache
        .and_then(|cache| cache.load(engine, digest))
        .map_or_else(
            || compile_and_keep(compiler, engine, cache, component, digest),
            Ok,
        )
        .map_err(Uncompiled::Refused)
}

/// Bounds the compiler's input: it has no bound of its own, and its time and memory grow faster than the size of a
/// function. It reports malformed components itself.
fn check_size(memory: usize, component: &[u8]) -> Result<(), String> {
    let is_small = memory <= Engine::SMALL_MEMORY;
    let length = component.len();
    if is_small && length > MAX_SMALL_COMPONENT {
        return Err(format!(
            "the component has {length} bytes, {MAX_SMALL_COMPONENT} are allowed"
        ));
    }
    let limit = if is_small {
        MAX_SMALL_FUNCTION
    } else {
        MAX_FUNCTION
    };
    for payload in Parser::new(0).parse_all(component).flatten() {
        if let Payload::CodeSectionEntry(body) = payload
            && body.range().len() > limit
        {
            return Err(format!(
                "a function has {} bytes, {limit} are allowed",
                body.range().len()
            ));
        }
    }
    Ok(())
}

fn compile_and_keep(
    compiler: &Compiler,
    engine: &Engine,
    cache: Option<&Cache>,
    component: &[u8],
    digest: Digest,
) -> wasmtime::Result<Component> {
    let compiled = compiler.precompile(engine, component)?;
    if let Some(Err(error)) = cache.map(|cache| cache.store(engine, digest, &compiled)) {
        // The gateway works without a cache; its next start takes longer.
        tracing::warn!("{error}");
    }
    deserialize(engine, &compiled)
}
