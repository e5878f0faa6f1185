//! How a crate becomes a rule: a WebAssembly component in one file. `cargo xtask guest`, the gateway's build script
//! and `comatrix-gateway rule build` all use it.
#![deny(missing_docs)]

mod component;
mod module;
mod outer_build;
mod rustc;
pub mod toolchain;
pub mod version;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

pub use component::{componentise, write_if_changed};
pub use module::{MEMORY_BYTES, Package, STACK_BYTES, compile};
use toolchain::ToolchainError;

/// Why a rule was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No toolchain for rules.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// Cargo could not be started.
    #[error("cannot start cargo ({program:?}) to build the rule {package}: {source}")]
    Start {
        /// The rule's package.
        package: String,
        /// The program.
        program: OsString,
        /// The system's reason.
        source: io::Error,
    },
    /// Cargo ran and failed; it has said why.
    #[error("building the rule {package} ended with {status}; the compiler's messages stand above")]
    Cargo {
        /// The rule's package.
        package: String,
        /// How cargo ended.
        status: ExitStatus,
    },
    /// The compiled module cannot become a component.
    #[error(
        "{module} is no module of the contract in wit/ ({reason}); its crate must call the `export!` macro of the SDK"
    )]
    Component {
        /// The compiled module.
        module: PathBuf,
        /// The encoder's reason.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
