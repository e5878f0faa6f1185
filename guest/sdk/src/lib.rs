//! For authors of CoMatrix rules: what a rule is made of besides its own logic.
//!
//! A rule is a crate with `crate-type = ["cdylib"]` that implements [`bindings::Guest`] for a type of its own and
//! names it in [`bindings::export!`]. The gateway calls it with values and acts on the values that it
//! returns; the contract stands in the folder `wit` of this project, item by item.
//!
//! - [`bindings`]: the contract as Rust types;
//! - [`code`], [`message`]: CoAP's codes and options, and answers made of them;
//! - [`value`], [`cbor`], [`json`], [`payload`]: payloads, read strictly and written in their shortest form;
//! - [`extract`]: a few values out of a large JSON text;
//! - [`settings`]: what the operator has configured for the rule;
//! - `vectors` (with the feature of that name): cases as files, for a rule's native tests.
//!
//! Everything works natively too, so a rule's logic is tested without a gateway.
#![deny(missing_docs)]

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod allocator;
pub mod bindings;
pub mod cbor;
pub mod code;
pub mod extract;
pub mod json;
pub mod message;
pub mod payload;
pub mod settings;
pub mod value;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use value::Value;
