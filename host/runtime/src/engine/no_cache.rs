//! A gateway without a compiler has no cache: its rules are native code already.

use std::path::Path;

/// A cache of compiled components; this build has none.
#[derive(Debug)]
pub enum Cache {}

/// Compiled code cannot be cached; this build never tries.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {}

impl Cache {
    /// None.
    #[must_use]
    pub fn at(_folder: Option<&Path>) -> Option<Self> {
        None
    }
}
