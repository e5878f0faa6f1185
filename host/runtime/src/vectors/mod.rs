//! Vectors of a rule's manifest: requests that a component must translate as stated before it serves.

pub mod conversion;
pub(crate) mod self_test;
