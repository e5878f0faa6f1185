//! Log lines about the operation: what an operator asked for, and which revisions serve. They have a budget of their
//! own, so that no device can hide them.

/// The target of these lines. It begins like those of the gateway's crates, so that the log level applies to it.
pub const TARGET: &str = "comatrix_operator";
