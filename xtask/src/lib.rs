//! Developer commands of CoMatrix, and the list of rules that it builds.
//!
//! `cargo xtask COMMAND` is the binary of this package. The library part is also a build dependency of the
//! gateway: its build script calls [`guest::build`], so a plain `cargo build` makes the default rule too.
//! Therefore it has few and small dependencies.

#![deny(missing_docs)]

pub mod guest;
pub mod javascript;

pub use comatrix_rule_build::toolchain;
