//! The settings of the runtime that compiler and runtime must share: native code is only loaded by an engine of the
//! same ones. The build script includes this file, so that there is one place for them; it knows nothing of the rest of
//! the gateway.

use wasmtime::{Config, ModuleVersionStrategy};

/// Targets as the compiler wants to be told. The C library, which a triple ends with, makes no difference to a rule.
pub const X86_64: &str = "x86_64-unknown-linux-gnu";
/// 64-bit ARM.
pub const AARCH64: &str = "aarch64-unknown-linux-gnu";
/// Processors of 32 bits: the runtime interprets this code, since its compiler knows none of them.
pub const PULLEY32: &str = "pulley32";

/// How large the rules of an engine are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Ordinary ones.
    Small,
    /// Interpreters.
    Large,
}

impl Size {
    /// Bytes of a linear memory: of the addresses that each one reserves.
    pub const fn memory(self) -> usize {
        match self {
            Self::Small => 2 << 20,
            Self::Large => 64 << 20,
        }
    }

    /// Bytes of stack of a call.
    const fn stack(self) -> usize {
        match self {
            Self::Small => 128 << 10,
            Self::Large => 512 << 10,
        }
    }
}

/// The settings for rules of this size. `runtime` is the version of the runtime: of its own accord it compares only the
/// first number.
pub fn config(size: Size, runtime: &str) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_init_cow(true)
        .memory_reservation(size.memory() as u64)
        .memory_guard_size(0)
        .memory_reservation_for_growth(0)
        .max_wasm_stack(size.stack())
        .generate_address_map(false);
    // The only error is a text of more than 255 bytes, which a version is not.
    let _ = config.module_version(ModuleVersionStrategy::Custom(runtime.to_owned()));
    config
}
