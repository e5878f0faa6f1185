//! From a crate to a core module.

use std::path::{Path, PathBuf};

use crate::BuildError;
use crate::toolchain::{TARGET, Toolchain};

/// Bytes of stack of a rule. Rust's default of 1 MiB would be mapped again for every call; the deepest
/// nesting that the default rule accepts (32 levels) needs about 9 KiB.
pub const STACK_BYTES: u32 = 16 * 1024;

/// Bytes of memory that a rule starts with: stack, constants, and heap for ordinary requests, so that these
/// need no `memory.grow`. A multiple of 64 KiB, WebAssembly's page.
pub const MEMORY_BYTES: u32 = 64 * 1024;

/// A package that is to become a rule.
#[derive(Debug, Clone, Copy)]
pub struct Package<'a> {
    /// Its name.
    pub name: &'a str,
    /// The name of its library; of a package that does not set one, the package's with `_` in place of `-`.
    pub library: &'a str,
    /// The folder of its workspace, with the profile `guest`.
    pub workspace: &'a Path,
    /// Where to compile.
    pub target_folder: &'a Path,
    /// Whether the lock file must be there and fit.
    pub locked: bool,
}

/// Compiles `package` with the profile `guest`, and returns the module's path. Cargo's messages go to standard error.
pub fn compile(toolchain: &Toolchain, package: &Package<'_>) -> Result<PathBuf, BuildError> {
    let mut cargo = toolchain.cargo_build();
    let link_arguments = [
        format!("-zstack-size={STACK_BYTES}"),
        format!("--initial-memory={MEMORY_BYTES}"),
    ];
    // Separated by 0x1f, as cargo defines this variable.
    let mut flags: Vec<String> = link_arguments
        .iter()
        .map(|argument| format!("-Clink-arg={argument}"))
        .collect();
    // Messages of panics name the file they come from: the same bytes on every machine, and no home folder.
    flags.extend(dependency_sources().map(|folder| format!("--remap-path-prefix={folder}=deps")));
    cargo
        .current_dir(package.workspace)
        .args(["--profile", "guest", "--package", package.name, "--lib"])
        .args(package.locked.then_some("--locked"))
        .arg("--target-dir")
        .arg(package.target_folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    let status = cargo.status().map_err(|source| BuildError::Start {
        package: package.name.to_owned(),
        program: cargo.get_program().to_owned(),
        source,
    })?;
    if !status.success() {
        return Err(BuildError::Cargo {
            package: package.name.to_owned(),
            status,
        });
    }
    let file_name = format!("{}.wasm", package.library);
    Ok(package
        .target_folder
        .join(TARGET)
        .join("guest")
        .join(file_name))
}

/// Where cargo unpacks the sources of dependencies.
fn dependency_sources() -> Option<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    home.join("registry/src")
        .into_os_string()
        .into_string()
        .ok()
}
