//! The pools that instances come from.

use wasmtime::{Enabled, PoolingAllocationConfig};

use super::config::Size;

/// Linear memories of any instance.
pub(super) const MAX_MEMORIES: u32 = 4;
/// Memory slots of the pool for large rules. With 32-bit addresses, as many as one component can have.
const LARGE_MEMORIES: u32 = if cfg!(target_pointer_width = "64") {
    16
} else {
    MAX_MEMORIES
};

/// The pool for rules of this size.
pub(super) fn pool(size: Size) -> PoolingAllocationConfig {
    match size {
        Size::Small => small(),
        Size::Large => large(),
    }
}

/// Small slots keep the virtual size of the process at tens of megabytes.
fn small() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    // Calls are synchronous on one thread, so few instances live at once; the other slots are for activation on another
    // thread.
    pool.total_component_instances(8)
        .total_core_instances(24)
        .total_memories(8)
        .total_tables(16)
        .max_memory_size(Size::Small.memory())
        // A slot is reset by zeroing its memory, not by unmapping it: page faults are most of a call's cost. A rule
        // starts with 64 KiB; to zero them is faster than to ask the kernel for the pages that were touched.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(4096)
        .max_unused_warm_slots(4)
        .pagemap_scan(Enabled::No);
    pool
}

/// For interpreters: several memories and tables, and a deep stack.
fn large() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(4)
        .total_core_instances(64)
        .max_core_instances_per_component(16)
        .max_memories_per_component(MAX_MEMORIES)
        .total_memories(LARGE_MEMORIES)
        .max_tables_per_component(8)
        .total_tables(32)
        .max_memory_size(Size::Large.memory())
        // Few of many pages are touched: here it pays to ask the kernel for them.
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(1)
        .pagemap_scan(Enabled::Auto);
    pool
}
