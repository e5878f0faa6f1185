//! The contract in `wit/` as Rust types, generated.

// The generated items carry the documentation of the WIT files where there is any, not on every field.
#![allow(missing_docs)]

wasmtime::component::bindgen!({ path: "../../wit", world: "rule" });

pub use crate::bindings::comatrix::gateway::types::{
    CallError, Change, CoapOption, Context, Delivery, Effect, Failure, HttpRequest, HttpResponse,
    Message, Progress, Reply, SessionChange, Step, Target, Upstream, Watch,
};
pub use crate::bindings::exports::comatrix::gateway::translator::{
    Description, Link, Need, Segment,
};

impl CallError {
    /// A call that did not leave the gateway.
    #[must_use]
    pub fn unsent(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            sent: false,
        }
    }
}
