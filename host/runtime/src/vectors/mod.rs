//! Vectors of a rule's manifest: requests that a component must translate as stated before it serves.

pub mod conversion;
mod self_test;
pub(crate) mod vector;

pub use self_test::{SelfTestError, self_test};
pub use vector::Vector;
