//! The settings that compiler and runtime must share: an engine loads only native code with the same settings. The
//! build script includes this file too, so it uses nothing else of the gateway.

use wasmtime::{Config, ModuleVersionStrategy};

/// Targets as the compiler spells them. The C library at the end of a triple makes no difference to a rule.
pub const X86_64: &str = "x86_64-unknown-linux-gnu";
/// 64-bit ARM.
pub const AARCH64: &str = "aarch64-unknown-linux-gnu";
/// Processors of 32 bits: the runtime interprets this code, since its compiler knows none of them.
pub const PULLEY32: &str = "pulley32";

/// The size of an engine's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Ordinary rules.
    Small,
    /// Interpreters.
    Large,
}

impl Size {
    /// Bytes of a linear memory, and of the address space that each one reserves.
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

/// The settings for rules of this size. `runtime` is the runtime's version: by default only its first number would be
/// compared.
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
    // The only error is a text of more than 255 bytes; a version is shorter.
    let _ = config.module_version(ModuleVersionStrategy::Custom(runtime.to_owned()));
    config
}
