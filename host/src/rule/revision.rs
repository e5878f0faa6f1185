//! A revision of a rule: immutable, linked, described, ready to be called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower};

use super::bindings::{
    CallError, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
};
use super::call::{CallState, FIRST_LOOK, Trap, trap};
use super::digest::Digest;
use super::engine::{Engine, RuleLimits, RunningCall};
use super::exports::Exports;
use super::links::{self, Match, Mismatch};
use super::needs;

/// Keys and values: `types.settings`.
type Settings<'a> = &'a [(String, String)];
type BeginParams<'a> = (Settings<'a>, &'a Context, &'a Message);
type ResumeParams<'a> = (
    Settings<'a>,
    &'a Context,
    &'a [u8],
    Result<&'a HttpResponse, &'a CallError>,
);
type Answer = (Result<Effect, Failure>,);

/// A rule's linked component with its description, limits and settings.
pub struct Revision {
    name: Arc<str>,
    digest: Digest,
    engine: Engine,
    pre: InstancePre<CallState>,
    exports: Exports,
    pub(super) description: Description,
    settings: Vec<(String, String)>,
    limits: RuleLimits,
    calls: AtomicU64,
}

impl Revision {
    /// A revision that has not described itself yet.
    pub(super) fn linked(
        engine: &Engine,
        name: &str,
        digest: Digest,
        pre: InstancePre<CallState>,
        exports: Exports,
        settings: BTreeMap<String, String>,
        limits: RuleLimits,
    ) -> Self {
        Self {
            name: name.into(),
            digest,
            engine: engine.clone(),
            pre,
            exports,
            description: Description {
                links: Vec::new(),
                needs: Vec::new(),
            },
            settings: settings.into_iter().collect(),
            limits,
            calls: AtomicU64::new(0),
        }
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

    /// `translator.describe` in a fresh instance.
    pub(super) fn describe(&self) -> Result<Result<Description, String>, Trap> {
        self.call(&self.exports.describe, (self.settings.as_slice(),))
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
        self.call(
            &self.exports.begin,
            (self.settings.as_slice(), context, request),
        )
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
        self.call(
            &self.exports.resume,
            (self.settings.as_slice(), context, state, outcome),
        )
    }

    /// Whether the exports have the contract's types. Each call checks its own again, so a mistake here cannot
    /// become one in a call.
    pub(super) fn check_exports(&self) -> wasmtime::Result<()> {
        let (mut store, _running) = self.store();
        let instance = self.pre.instantiate(&mut store)?;
        let Exports {
            describe,
            begin,
            resume,
        } = &self.exports;
        instance.get_typed_func::<(Settings<'_>,), (Result<Description, String>,)>(
            &mut store, describe,
        )?;
        instance.get_typed_func::<BeginParams<'_>, Answer>(&mut store, begin)?;
        instance.get_typed_func::<ResumeParams<'_>, Answer>(&mut store, resume)?;
        Ok(())
    }

    fn call<P, R>(&self, function: &ComponentExportIndex, params: P) -> Result<R, Trap>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (mut store, _running) = self.store();
        let call = || -> wasmtime::Result<R> {
            let instance = self.pre.instantiate(&mut store)?;
            // Only this function's type is checked: the three of them cost a tenth of a small call.
            let function = instance.get_typed_func::<P, (R,)>(&mut store, function)?;
            Ok(function.call(&mut store, params)?.0)
        };
        call().map_err(|error| trap(&self.name, &self.limits, &error))
    }

    /// A store with the limits of one call, whose time runs from now on.
    fn store(&self) -> (Store<CallState>, RunningCall<'_>) {
        let mut store = CallState::store(&self.engine, &self.name, &self.limits);
        let (ticks, running) = self
            .engine
            .begin_call(FIRST_LOOK.min(self.limits.call_time));
        store.set_epoch_deadline(ticks);
        (store, running)
    }
}
