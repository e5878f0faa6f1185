//! The binary's own parts: the command line, and the tools of rule authors.
//!
//! The gateway itself is in the crates below this folder; `main.rs` wires them.

pub mod cli;
#[cfg(feature = "compiler")]
pub mod rule_tool;
