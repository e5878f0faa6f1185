//! The memory that an instance of a component begins with.

use super::Revision;

/// Bytes of a page of linear memory.
const PAGE: u64 = 64 << 10;

/// The memory of an instance before its first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Linear memories; more than one is refused.
    pub memories: u32,
    /// Bytes of the largest.
    pub memory: u64,
}

impl Revision {
    /// The memory that an instance begins with; none if that is unknown before it is linked.
    #[must_use]
    pub fn footprint(&self) -> Option<Footprint> {
        let required = self.pre.component().resources_required()?;
        Some(Footprint {
            memories: required.num_memories,
            memory: required.max_initial_memory_size.unwrap_or(0) * PAGE,
        })
    }
}
