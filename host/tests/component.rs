//! The default rule as the component that the gateway carries.

use std::collections::BTreeMap;

use contract::{Context, Effect, Failure, Message, Outcome};
use runtime::Revision;

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
