//! A revision of a rule: immutable, linked, described, ready to be called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::{
    CallError, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Rule as Instance, RulePre,
};
use super::cache::Cache;
use super::call::{CallState, Trap, trap};
use super::digest::Digest;
use super::engine::{Engine, RuleLimits};
use super::links::{self, Match, Mismatch};
use super::needs;

/// What a component may import.
const CONTRACT: &str = "comatrix:gateway/";

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
        "rule {rule}: it imports {import}, but a rule may only import the contract's log and config; rebuild it for wasm32-unknown-unknown without WASI"
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

/// A rule's linked component with its description, limits and settings.
pub struct Revision {
    name: Arc<str>,
    digest: Digest,
    engine: Engine,
    pre: RulePre<CallState>,
    description: Description,
    settings: Arc<BTreeMap<String, String>>,
    limits: RuleLimits,
    calls: AtomicU64,
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
        let digest = Digest::of(component);
        let compiled = cache
            .and_then(|cache| cache.load(engine, digest))
            .map_or_else(|| compile(engine, cache, component, digest), Ok)
            .map_err(|error| ActivationError::Compile {
                rule: rule(),
                cause: format!("{error:#}"),
            })?;
        check_imports(engine, name, &compiled)?;
        let contract = |error: wasmtime::Error| ActivationError::Contract {
            rule: rule(),
            cause: format!("{error:#}"),
        };
        let mut linker = Linker::<CallState>::new(engine.wasmtime());
        Instance::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(contract)?;
        let pre = linker
            .instantiate_pre(&compiled)
            .and_then(RulePre::new)
            .map_err(contract)?;
        let mut revision = Self {
            name: name.into(),
            digest,
            engine: engine.clone(),
            pre,
            description: Description {
                links: Vec::new(),
                needs: Vec::new(),
            },
            settings: Arc::new(settings),
            limits,
            calls: AtomicU64::new(0),
        };
        let description = revision
            .call(|instance, store| instance.comatrix_gateway_translator().call_describe(store))?
            .map_err(|cause| ActivationError::Refused {
                rule: rule(),
                cause: crate::access_log::escaped(&cause, 512).to_string(),
            })?;
        for (what, count) in [
            ("links", description.links.len()),
            ("needs", description.needs.len()),
        ] {
            if count > 64 {
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

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What identifies the component.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What `describe` said.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What calls and exchanges of this rule may use.
    #[must_use]
    pub fn limits(&self) -> &RuleLimits {
        &self.limits
    }

    /// How often the component was called, `describe` included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The link that a path (relative to the mount) and a method code mean.
    ///
    /// # Errors
    /// [`Mismatch`]: 4.04 or 4.05.
    pub fn find(&self, path: &[&str], method: u8) -> Result<Match, Mismatch> {
        links::find(&self.description.links, path, method)
    }

    /// Whether the description asked for this call; anything else is `denied`.
    #[must_use]
    pub fn needs(&self, request: &HttpRequest) -> bool {
        needs::cover(&self.description.needs, request)
    }

    /// `translator.begin` in a fresh instance.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn begin(
        &self,
        context: &Context,
        request: &Message,
    ) -> Result<Result<Effect, Failure>, Trap> {
        self.call(|instance, store| {
            instance
                .comatrix_gateway_translator()
                .call_begin(store, context, request)
        })
    }

    /// `translator.resume` in a fresh instance.
    ///
    /// # Errors
    /// [`Trap`]; the rule's own [`Failure`] is a result.
    pub fn resume(
        &self,
        context: &Context,
        state: &[u8],
        outcome: Result<&HttpResponse, &CallError>,
    ) -> Result<Result<Effect, Failure>, Trap> {
        self.call(|instance, store| {
            instance
                .comatrix_gateway_translator()
                .call_resume(store, context, state, outcome)
        })
    }

    fn call<R>(
        &self,
        function: impl FnOnce(&Instance, &mut Store<CallState>) -> wasmtime::Result<R>,
    ) -> Result<R, Trap> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut store = CallState::store(&self.engine, &self.name, &self.settings, &self.limits);
        let (ticks, _running) = self.engine.begin_call(self.limits.call_time);
        store.set_epoch_deadline(ticks);
        self.pre
            .instantiate(&mut store)
            .and_then(|instance| function(&instance, &mut store))
            .map_err(|error| trap(&self.name, &self.limits, &error))
    }
}

fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    component: &[u8],
    digest: Digest,
) -> wasmtime::Result<Component> {
    let compiled = engine.wasmtime().precompile_component(component)?;
    match cache.map(|cache| cache.store(engine, digest, &compiled)) {
        Some(Ok(component)) => Ok(component),
        // Without a cache the gateway still works; its next start takes longer.
        Some(Err(error)) => {
            tracing::warn!("{error}");
            Component::new(engine.wasmtime(), component)
        }
        None => Component::new(engine.wasmtime(), component),
    }
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
