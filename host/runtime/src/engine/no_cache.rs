//! A gateway without a compiler has nothing to keep: what it runs comes compiled.

use std::path::Path;

/// A folder of compiled components; there is none here.
#[derive(Debug)]
pub enum Cache {}

/// Why compiled code cannot be kept; nobody tries here.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {}

impl Cache {
    /// None.
    #[must_use]
    pub fn at(_folder: Option<&Path>) -> Option<Self> {
        None
    }
}
