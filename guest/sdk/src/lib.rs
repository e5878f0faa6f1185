//! For authors of CoMatrix rules: everything that a rule needs besides its own logic.
//!
//! A rule is a crate with `crate-type = ["cdylib"]` and a static [`rule::Rule`], a table of routes, that it names in
//! [`export!`]. The gateway calls it with values and acts on the values that it returns. [`rule`] is enough for most
//! rules; below it:
//!
//! - [`code`], [`message`], [`fields`]: CoAP's codes and options, and fields of a request's payload;
//! - [`value`], [`cbor`], [`json`], [`payload`]: payloads, read strictly and written in their shortest form;
//! - [`extract`]: a few values out of a large JSON text; [`transcode`]: all of it as CBOR;
//! - [`call`], [`room`]: calls to the homeserver, and names of rooms;
//! - [`text_message`], [`history`], [`watch`]: the text messages of rooms, past and new ones;
//! - [`homeserver_json`], [`homeserver_error`], [`error_response`]: from the homeserver's response, or an error, to
//!   the device's;
//! - [`settings`]: the operator's settings for the rule;
//! - [`text`]: texts without `fmt`, for small components;
//! - [`bindings`]: the contract as Rust types, for rules that need more than [`rule`] has; it stands in the folder
//!   `wit` of this project, item by item;
//! - `vectors` (with the feature of that name): cases as files, for a rule's native tests.
//!
//! Everything works natively too, so a rule's logic is tested without a gateway.
#![deny(missing_docs)]

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod allocator;
pub mod bindings;
pub mod call;
pub mod cbor;
pub mod code;
pub mod error_response;
pub mod extract;
pub mod fields;
pub mod history;
pub mod homeserver_error;
pub mod homeserver_json;
pub mod json;
pub mod message;
pub mod payload;
mod retry_after;
pub mod room;
pub mod rule;
pub mod settings;
pub mod text;
pub mod text_message;
pub mod transcode;
pub mod value;
#[cfg(feature = "vectors")]
pub mod vectors;
pub mod watch;

pub use value::Value;

/// The examples of the tutorial are compiled as the SDK's own.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Tutorial;
