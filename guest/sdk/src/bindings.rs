//! The contract of the folder `wit`, world `rule`, as Rust types.

pub use generated::comatrix::gateway::log;
pub use generated::comatrix::gateway::types::{
    CallError, Change, CoapOption, Context, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress, Reply, SessionChange, Step, Target, Upstream, Watch,
};
pub use generated::exports::comatrix::gateway::translator::{
    Description, Guest, Link, Need, Segment,
};

pub use crate::export_rule as export;

/// Made by wit-bindgen. Outside of WebAssembly the imports exist as functions that panic when called.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "rule",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated",
        additional_derives: [PartialEq],
    });
}

/// Exports a type that implements [`Guest`] as the rule that a crate is: `export!(MyRule);`. Natively it does nothing: the
/// names of a component's exports are no symbols there.
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated::export!($rule with_types_in $crate::bindings::generated);
    };
}
