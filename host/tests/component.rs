//! The default rule as the component that the gateway carries.

use std::collections::BTreeMap;

use contract::{Context, Effect, Failure, Message, Outcome};
use runtime::{Revision, RuleLimits};

use crate::default_rule;

/// The default rule, activated; each call gets a fresh instance of its own.
pub struct Component {
    /// The component.
    pub revision: Revision,
}

impl Component {
    pub fn new() -> Self {
        let revision = default_rule::activate(&default_rule::engine(), &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{error}"));
        Self { revision }
    }

    /// The same with half of the default time for a call: what must always pass needs at most that.
    pub fn with_half_of_the_time() -> Self {
        let limits = RuleLimits {
            call_time: RuleLimits::default().call_time / 2,
            ..default_rule::limits()
        };
        let revision =
            default_rule::activate_with(&default_rule::engine(), &BTreeMap::new(), limits)
                .unwrap_or_else(|error| panic!("{error}"));
        Self { revision }
    }

    /// The contract's `begin`. A trap fails the test.
    pub fn call_begin(&self, context: &Context, request: &Message) -> Result<Effect, Failure> {
        self.revision
            .begin(context, request)
            .unwrap_or_else(|trap| panic!("{trap}"))
    }

    /// The contract's `resume`. A trap fails the test.
    pub fn call_resume(
        &self,
        context: &Context,
        state: &[u8],
        outcome: Outcome,
    ) -> Result<Effect, Failure> {
        self.revision
            .resume(context, state, outcome.as_ref())
            .unwrap_or_else(|trap| panic!("{trap}"))
    }
}
