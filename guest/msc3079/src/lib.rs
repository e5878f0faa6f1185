//! Low-bandwidth Matrix: the whole Client-Server API over CoAP, with the codes for paths and the integers for keys of
//! the proposal MSC3079. A client that speaks it needs no other gateway.
//!
//! | question | file |
//! | --- | --- |
//! | which path at the homeserver | [`path`], [`tables`] |
//! | which formats, with or without integer keys | [`formats`], [`media`], [`key_version`] |
//! | a request | [`request`], [`query`], [`plan`] (what is kept until the response is there) |
//! | a response | [`response`], [`answer`] (its body), [`status`] (its code), [`versions`], [`session`] |
//! | an observation of `/sync` | [`feed`], [`progress`] |
//!
//! It is written with the contract's own types and not with the SDK's table of routes: it has no list of resources of
//! its own. The SDK reads and writes CBOR and JSON.
//!
//! Settings: `answer_bytes` and `dtls_port`, see [`settings`].
#![deny(missing_docs)]

pub mod answer;
mod export;
pub mod feed;
pub mod formats;
pub mod key_version;
pub mod links;
pub mod media;
pub mod path;
pub mod plan;
pub mod progress;
pub mod query;
pub mod request;
pub mod response;
pub mod session;
pub mod settings;
pub mod status;
pub mod tables;
pub mod versions;
