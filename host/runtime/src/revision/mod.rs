//! A revision of a rule: immutable, linked, described, ready to be called.

pub(crate) mod accounting;
pub(crate) mod activation;
pub(crate) mod activation_error;
mod beside;
mod bucket;
pub(crate) mod budget;
#[cfg(test)]
mod budget_tests;
pub(crate) mod call_input;
pub(crate) mod call_policy;
pub(crate) mod candidate;
mod delivering;
mod failed_calls;
mod feeding;
#[cfg(feature = "compiler")]
pub(crate) mod footprint;
mod health;
mod input_sizes;
mod judgement;
mod network;
pub(crate) mod observing;
mod optional_exports;
pub(crate) mod revision_id;
mod second_shares;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use wasmtime::component::{ComponentNamedList, InstancePre, Lift};

use crate::call::exports::Exports;
use crate::call::function::{Function, Signature};
use crate::call::sensitive_inputs::{SensitiveInputs, device_inputs};
use crate::call::{CallState, Trap, begin, thread_cpu_time};
use crate::engine::Engine;
use crate::limits::{Limit, RuleLimits};
use crate::machine_speed::time_factor;
use accounting::RuleAccounting;
use candidate::Candidate;
use contract::bindings::{CallError, Context, Description, Effect, Failure, HttpResponse, Message};
use contract::digest::Digest;
use contract::grant::{Grant, GrantError};
use contract::links::{self, Match, Mismatch, Rank};
use contract::requested_paths::RequestedPaths;
use contract::{HeaderGrants, KnownOptions};
use health::Health;
use revision_id::RevisionId;

/// A rule's linked component with its description, limits and settings.
pub struct Revision {
    id: RevisionId,
    state: Arc<RuleAccounting>,
    digest: Digest,
    number: u64,
    engine: Engine,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) exports: Exports,
    description: Description,
    requested_paths: RequestedPaths,
    needs_token: Box<[u16]>,
    known_options: KnownOptions,
    feeds: Box<[u16]>,
    needs: Vec<Grant>,
    pub(crate) settings: Vec<(String, String)>,
    headers: HeaderGrants,
    limits: RuleLimits,
    calls: AtomicU64,
    health: Health,
}

impl Revision {
    /// A revision without its description.
    pub(crate) fn linked(
        candidate: &Candidate<'_>,
        engine: Engine,
        pre: InstancePre<CallState>,
        exports: Exports,
    ) -> Self {
        Self {
            id: RevisionId::unique(),
            state: candidate.state.clone(),
            digest: candidate.code.digest(),
            number: candidate.number,
            engine,
            pre,
            exports,
            description: nothing(),
            requested_paths: RequestedPaths::default(),
            needs_token: Box::default(),
            known_options: KnownOptions::default(),
            feeds: Box::default(),
            needs: Vec::new(),
            settings: owned(candidate.settings),
            headers: candidate.allow_headers.clone(),
            limits: candidate.limits.scaled(time_factor()),
            calls: AtomicU64::new(0),
            health: Health::default(),
        }
    }

    /// Identifies this revision within the process.
    #[must_use]
    pub fn id(&self) -> RevisionId {
        self.id
    }

    /// Takes over a description.
    fn describes(&mut self, description: Description) -> Result<(), GrantError> {
        self.needs = Grant::of_needs(&description)?;
        self.description = description;
        Ok(())
    }

    /// The headers that its calls may have in addition to those of every rule.
    pub(crate) fn headers(&self) -> &HeaderGrants {
        &self.headers
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// Shared by all revisions of the rule.
    #[must_use]
    pub fn state(&self) -> &Arc<RuleAccounting> {
        &self.state
    }

    /// Its author's number for it; 0 without one.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What identifies the component.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The result of `describe`.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The limits of its calls and exchanges.
    #[must_use]
    pub fn limits(&self) -> &RuleLimits {
        &self.limits
    }

    /// The number of calls of the component, with those of `describe`.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The link for a path (relative to the mount) and a method code.
    ///
    /// # Errors
    /// [`Mismatch`]: 4.04 or 4.05.
    pub fn find(&self, path: &[&str], method: u8) -> Result<Match, Mismatch> {
        links::find(&self.description.links, path, method)
    }

    /// The same with its rank, to be compared with that of another rule at the same mount.
    pub(crate) fn find_ranked(&self, path: &[&str], method: u8) -> Result<(Rank, Match), Mismatch> {
        links::find_ranked(&self.description.links, path, method)
    }

    /// The needs of the description.
    #[must_use]
    pub fn needs(&self) -> &[Grant] {
        &self.needs
    }

    /// `translator.describe` in a fresh instance.
    pub(crate) fn describe(&self) -> Result<Result<Description, String>, Trap> {
        let params = (self.settings.as_slice(),);
        self.call(&self.exports.describe, params, &SensitiveInputs::default())
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
        let inputs = SensitiveInputs {
            device: device_inputs(context, Some(request)),
            http_body: &[],
        };
        let params = (self.settings.as_slice(), context, request);
        self.call(&self.exports.begin, params, &inputs)
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
        let inputs = SensitiveInputs {
            device: device_inputs(context, None)
                .into_iter()
                .chain([state])
                .collect(),
            http_body: outcome.map_or(&[], |response| &response.body),
        };
        let params = (self.settings.as_slice(), context, state, outcome);
        self.call(&self.exports.resume, params, &inputs)
    }

    pub(crate) fn call<S: Signature>(
        &self,
        function: &Function<S>,
        params: S::Params<'_>,
        inputs: &SensitiveInputs<'_>,
    ) -> Result<S::Output, Trap>
    where
        (S::Output,): ComponentNamedList + Lift,
    {
        self.calls.fetch_add(1, Ordering::Relaxed);
        // CPU time, since a rule uses nothing while others have the CPU. It takes a system call, so only a limited rule
        // is metered.
        let is_metered = self.limits.cpu_percent < 100;
        let began = is_metered.then(thread_cpu_time);
        let limits = self.limits.for_input(inputs.bytes());
        let (mut store, running) = begin(&self.engine, &limits, began);
        let call = || {
            let instance = self.pre.instantiate(&mut store)?;
            let function = function.of(&instance, &mut store)?;
            Ok(function.call(&mut store, params)?.0)
        };
        let result =
            call().map_err(|error: wasmtime::Error| store.data().trap(self.state.name(), &error));
        let lines = store.data_mut().take_lines();
        drop(store);
        drop(running);
        if result.is_err() {
            self.state.count_trap();
        }
        match &result {
            Err(Trap::TimedOut { .. }) => self.state.budget.count(Limit::CallTime),
            Err(Trap::OutOfMemory { .. }) => self.state.budget.count(Limit::Memory),
            _ => {}
        }
        if !lines.is_empty() {
            self.state.log(lines, inputs);
        }
        if let Some(began) = began {
            let spent = thread_cpu_time().saturating_sub(began);
            self.state.budget.spent(Instant::now(), spent);
        }
        result
    }
}

/// The description of a revision before `describe`.
fn nothing() -> Description {
    Description {
        links: Vec::new(),
        needs: Vec::new(),
    }
}

fn owned(settings: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let pairs = settings.iter();
    pairs
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
