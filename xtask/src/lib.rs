//! Developer commands of CoMatrix, and which rules it builds.
//!
//! `cargo xtask COMMAND` is the binary of this package. The library part is also a build dependency of the
//! gateway: its build script calls [`guest::build`], so a plain `cargo build` makes the default rule too.
//! That is why nothing heavy is among the dependencies.

#![deny(missing_docs)]

pub mod guest;
pub mod javascript;

pub use comatrix_rule_build::toolchain;
