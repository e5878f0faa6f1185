//! From the bytes of a component to a revision that can serve: compile, check imports, link, describe.

use std::collections::BTreeMap;

use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::Rule;
use super::cache::{Cache, deserialize};
use super::call::{CallState, Trap};
use super::digest::Digest;
use super::engine::{Engine, RuleLimits};
use super::exports::Exports;
use super::revision::Revision;

/// What a component may import.
const CONTRACT: &str = "comatrix:gateway/";
/// Links and needs of a description: each request is matched against them.
const MAX_DESCRIBED: usize = 64;

/// Why a component did not become a revision. Whatever served before goes on.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The bytes are no component this engine can compile.
    #[error(
        "rule {rule}: not a WebAssembly component for this gateway: {cause}; build it with `cargo xtask guest` or ask its author"
    )]
    Compile {
        /// The rule's name.
        rule: String,
        /// The compiler's reason.
        cause: String,
    },
    /// It asks for more than a rule is given.
    #[error(
        "rule {rule}: it imports {import}, but a rule may only import the contract's log; rebuild it for wasm32-unknown-unknown without WASI"
    )]
    Import {
        /// The rule's name.
        rule: String,
        /// The first import beyond the contract.
        import: String,
    },
    /// It is built for another version of the contract.
    #[error(
        "rule {rule}: it does not fit the contract comatrix:gateway@0.1.0: {cause}; rebuild it against this gateway's wit folder"
    )]
    Contract {
        /// The rule's name.
        rule: String,
        /// The linker's reason.
        cause: String,
    },
    /// `describe` trapped.
    #[error("{0}")]
    Trap(#[from] Trap),
    /// `describe` refused, for example for a setting that it cannot use.
    #[error("rule {rule}: it refuses its configuration: {cause}")]
    Refused {
        /// The rule's name.
        rule: String,
        /// The rule's own words.
        cause: String,
    },
    /// The description is beyond its bounds.
    #[error(
        "rule {rule}: it describes {count} {what}, at most 64 are allowed; its author must split it"
    )]
    Description {
        /// The rule's name.
        rule: String,
        /// `links` or `needs`.
        what: &'static str,
        /// How many.
        count: usize,
    },
}

impl Revision {
    /// Compiles (or loads from `cache`), links and describes a component.
    ///
    /// # Errors
    /// [`ActivationError`] names the step that failed and what to do.
    pub fn activate(
        engine: &Engine,
        cache: Option<&Cache>,
        name: &str,
        component: &[u8],
        settings: BTreeMap<String, String>,
        limits: RuleLimits,
    ) -> Result<Self, ActivationError> {
        let rule = || name.to_owned();
        let contract = |error: wasmtime::Error| ActivationError::Contract {
            rule: rule(),
            cause: format!("{error:#}"),
        };
        let digest = Digest::of(component);
        let compiled = cache
            .and_then(|cache| cache.load(engine, digest))
            .map_or_else(|| compile(engine, cache, component, digest), Ok)
            .map_err(|error| ActivationError::Compile {
                rule: rule(),
                cause: format!("{error:#}"),
            })?;
        check_imports(engine, name, &compiled)?;
        let mut linker = Linker::<CallState>::new(engine.wasmtime());
        Rule::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(contract)?;
        let pre = linker.instantiate_pre(&compiled).map_err(contract)?;
        let exports = Exports::find(&compiled).map_err(contract)?;
        let mut revision = Self::linked(engine, name, digest, pre, exports, settings, limits);
        revision.check_exports().map_err(contract)?;
        let description = revision
            .describe()?
            .map_err(|cause| ActivationError::Refused {
                rule: rule(),
                cause: crate::access_log::escaped(&cause, 512),
            })?;
        for (what, count) in [
            ("links", description.links.len()),
            ("needs", description.needs.len()),
        ] {
            if count > MAX_DESCRIBED {
                return Err(ActivationError::Description {
                    rule: rule(),
                    what,
                    count,
                });
            }
        }
        revision.description = description;
        Ok(revision)
    }
}

fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    component: &[u8],
    digest: Digest,
) -> wasmtime::Result<Component> {
    let compiled = engine.wasmtime().precompile_component(component)?;
    if let Some(Err(error)) = cache.map(|cache| cache.store(engine, digest, &compiled)) {
        // Without a cache the gateway still works; its next start takes longer.
        tracing::warn!("{error}");
    }
    deserialize(engine, &compiled)
}

fn check_imports(
    engine: &Engine,
    rule: &str,
    component: &Component,
) -> Result<(), ActivationError> {
    component
        .component_type()
        .imports(engine.wasmtime())
        .map(|(import, _)| import)
        .find(|import| !import.starts_with(CONTRACT))
        .map_or(Ok(()), |import| {
            Err(ActivationError::Import {
                rule: rule.to_owned(),
                import: import.to_owned(),
            })
        })
}
