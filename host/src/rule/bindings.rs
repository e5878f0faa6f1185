//! The contract in `wit/` as Rust types, generated.

// The generated items carry the documentation of the WIT files where there is any, not on every field.
#![allow(missing_docs)]

wasmtime::component::bindgen!({ path: "../wit", world: "rule" });

pub use self::comatrix::gateway::types::{
    CallError, CoapOption, Context, Effect, Failure, HttpRequest, HttpResponse, Message, Reply,
    SessionChange, Step, Target, Upstream,
};
pub use self::exports::comatrix::gateway::translator::{Description, Link, Need, Segment};
