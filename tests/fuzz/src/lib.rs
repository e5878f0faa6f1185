//! The input of fuzz targets, and the gateway's parser of Proxy-Uri. `#[path]` includes the parser's file and its
//! neighbours, because the crates that they belong to depend on Wasmtime, which takes a quarter of an hour to compile.

// The included files use the crate `contract`.
extern crate self as contract;

pub mod dtls;
#[path = "../../../host/contract/src/path_segment.rs"]
pub mod path_segment;
pub mod request;
pub mod sequence;
pub mod steps;

/// Stands for `contract::Target`, which is generated from `wit/types.wit`.
#[derive(Debug)]
pub struct Target {
    /// Decoded segments.
    pub path: Vec<String>,
    /// Decoded pairs.
    pub query: Vec<(String, String)>,
}
