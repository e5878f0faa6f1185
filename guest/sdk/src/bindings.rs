//! The contract of the folder `wit` as Rust types: the world `rule`, and, apart from it, the interfaces `feed`,
//! `observer`, `options`, `outbox`, `proxy` and `rights`, which a rule can export as well.

pub use generated::comatrix::gateway::log;
pub use generated::comatrix::gateway::types::{
    CallError, Change, CoapOption, Context, Delivery, Effect, Failure, HttpRequest, HttpResponse,
    Message, Progress, Reply, SessionChange, Step, Target, Upstream, Watch,
};
pub use generated::exports::comatrix::gateway::translator::{
    Description, Guest, Link, Need, Segment,
};

pub use generated_feed::exports::comatrix::gateway::feed::{FeedProgress, Guest as Feed};
pub use generated_observer::exports::comatrix::gateway::observer::Guest as Observer;
pub use generated_options::exports::comatrix::gateway::options::{Guest as Options, KnownOption};
pub use generated_outbox::exports::comatrix::gateway::outbox::Guest as Outbox;
pub use generated_proxy::exports::comatrix::gateway::proxy::Guest as Proxy;
pub use generated_rights::exports::comatrix::gateway::rights::Guest as Rights;

pub use crate::export_rule as export;
pub use crate::export_rule_feed as export_feed;
pub use crate::export_rule_observer as export_observer;
pub use crate::export_rule_options as export_options;
pub use crate::export_rule_outbox as export_outbox;
pub use crate::export_rule_proxy as export_proxy;
pub use crate::export_rule_rights as export_rights;

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

/// As [`generated`]. A world of its own: a rule without an observer does not have to implement it.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_observer {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world observer { export comatrix:gateway/observer@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_observer",
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// As [`generated_observer`], for the interface `outbox`.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_outbox {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world outbox { export comatrix:gateway/outbox@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_outbox",
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// As [`generated_observer`], for the interface `proxy`.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_proxy {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world proxy { export comatrix:gateway/proxy@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_proxy",
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// As [`generated_observer`], for the interface `rights`.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_rights {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world rights { export comatrix:gateway/rights@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_rights",
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// As [`generated_observer`], for the interface `options`.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_options {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world options { export comatrix:gateway/options@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_options",
        additional_derives: [PartialEq],
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// As [`generated_observer`], for the interface `feed`.
#[allow(missing_docs, unsafe_code, unused_qualifications, clippy::all)]
#[doc(hidden)]
pub mod generated_feed {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package comatrix:sdk; world feed { export comatrix:gateway/feed@0.2.0; }",
        pub_export_macro: true,
        default_bindings_module: "comatrix_sdk::bindings::generated_feed",
        additional_derives: [PartialEq],
        with: { "comatrix:gateway/types@0.2.0": crate::bindings::generated::comatrix::gateway::types },
    });
}

/// Exports a type that implements [`Guest`] as the rule that a crate is: `export!(MyRule);`. Natively it does
/// nothing: the names of a component's exports are no symbols there.
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated::export!($rule with_types_in $crate::bindings::generated);
    };
}

/// Exports a type that implements [`Observer`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_observer {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_observer::export!($rule with_types_in $crate::bindings::generated_observer);
    };
}

/// Exports a type that implements [`Outbox`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_outbox {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_outbox::export!($rule with_types_in $crate::bindings::generated_outbox);
    };
}

/// Exports a type that implements [`Proxy`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_proxy {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_proxy::export!($rule with_types_in $crate::bindings::generated_proxy);
    };
}

/// Exports a type that implements [`Rights`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_rights {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_rights::export!($rule with_types_in $crate::bindings::generated_rights);
    };
}

/// Exports a type that implements [`Options`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_options {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_options::export!($rule with_types_in $crate::bindings::generated_options);
    };
}

/// Exports a type that implements [`Feed`] besides [`Guest`], beside [`export`].
#[macro_export]
#[doc(hidden)]
macro_rules! export_rule_feed {
    ($rule:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::generated_feed::export!($rule with_types_in $crate::bindings::generated_feed);
    };
}
