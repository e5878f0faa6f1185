//! Which Rust toolchain compiles rules for `wasm32-unknown-unknown`.
//!
//! rustup's target is the way; where rustup may not fetch it, Debian's toolchain builds the standard library
//! from its own sources. rustup's compiler cannot: Debian's sources are of another version.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outer_build::forget_outer_build;
use crate::rustc::{host_triple, printed_by, sysroot};
use crate::version::Version;

/// The only target of rules: no system interface, so a rule can do nothing but compute.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The oldest compiler that rules build with, as this package's manifest states it.
pub const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// `rustup` or `debian`: use this toolchain and no other. Unset: the first one that is installed and not too old.
pub const FORCE: &str = "COMATRIX_GUEST_TOOLCHAIN";

/// Debian's compiler.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Its cargo.
pub const DEBIAN_CARGO: &str = "/usr/bin/cargo";
/// Where the package `rust-web-src` puts the standard library's sources; its manifest shows that they are there.
const DEBIAN_STD: &str = "lib/rustlib/src/rust/library/std/Cargo.toml";

/// A toolchain that can build rules on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The active toolchain, with the target installed by rustup.
    Rustup,
    /// Debian's compiler, building the standard library itself; it borrows the linker of the active toolchain.
    Debian {
        /// A linker that writes WebAssembly.
        linker: PathBuf,
    },
}

/// Why no toolchain can build rules here.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// Neither way is installed.
    #[error(
        "the target {TARGET} is not installed, so rules cannot be built. Run this once:\n\n    \
         rustup target add {TARGET}\n\n\
         If rustup cannot download it, Debian's own toolchain works too:\n\n    \
         apt-get install rustc-web cargo-web rust-web-src\n\n\
         In a checkout of CoMatrix, `cargo xtask setup` does either."
    )]
    Missing,
    /// The forced toolchain is not installed.
    #[error(
        "{FORCE}={forced} asks for a toolchain that is not installed. Run this once:\n\n    \
         {FORCE}={forced} cargo xtask setup\n"
    )]
    ForcedMissing {
        /// The variable's value.
        forced: &'static str,
    },
    /// A compiler is installed, and rules need a later one.
    #[error("{} is version {version}, and rules need {RUST_VERSION} or later. {remedy}", rustc.display())]
    TooOld {
        /// The compiler.
        rustc: PathBuf,
        /// Its version.
        version: Version,
        /// A sentence with the command that replaces it.
        remedy: &'static str,
    },
    /// Debian's toolchain is installed without a linker for [`TARGET`].
    #[error(
        "Debian's toolchain has no linker for {TARGET}. Run this once:\n\n    apt-get install lld\n"
    )]
    NoLinker,
    /// The variable has a value that means nothing.
    #[error(
        "{FORCE}={0} is neither \"rustup\" nor \"debian\"; unset it to use whichever is installed"
    )]
    UnknownForce(String),
}

/// The choice in [`FORCE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// Nothing: the first toolchain that is there.
    No,
    /// The active toolchain with rustup's target.
    Rustup,
    /// Debian's toolchain.
    Debian,
}

/// Reads [`FORCE`].
pub fn forced() -> Result<Forced, ToolchainError> {
    parse_forced(env::var(FORCE).ok().as_deref())
}

fn parse_forced(value: Option<&str>) -> Result<Forced, ToolchainError> {
    match value {
        None | Some("") => Ok(Forced::No),
        Some("rustup") => Ok(Forced::Rustup),
        Some("debian") => Ok(Forced::Debian),
        Some(other) => Err(ToolchainError::UnknownForce(other.to_owned())),
    }
}

/// Finds the toolchain to use, or says which one command installs it.
pub fn find(forced: Forced) -> Result<Toolchain, ToolchainError> {
    match forced {
        Forced::Rustup => rustup(),
        Forced::Debian => debian(),
        Forced::No => rustup()
            .or_else(|of_rustup| debian().map_err(|of_debian| neither(of_rustup, of_debian))),
    }
}

/// The error about a toolchain that is there says more than the one about a toolchain that is not.
fn neither(of_rustup: ToolchainError, of_debian: ToolchainError) -> ToolchainError {
    let is_missing = |error: &ToolchainError| matches!(error, ToolchainError::ForcedMissing { .. });
    match (is_missing(&of_rustup), is_missing(&of_debian)) {
        (true, true) => ToolchainError::Missing,
        (true, false) => of_debian,
        (false, _) => of_rustup,
    }
}

fn rustup() -> Result<Toolchain, ToolchainError> {
    let missing = || ToolchainError::ForcedMissing { forced: "rustup" };
    let rustc = Path::new("rustc");
    let libraries = sysroot(rustc)
        .ok_or_else(missing)?
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib");
    if !libraries.is_dir() {
        return Err(missing());
    }
    let printed = printed_by(rustc, &["--version"]).ok_or_else(missing)?;
    check_version(rustc, &printed, "Run `rustup update`.")?;
    Ok(Toolchain::Rustup)
}

fn debian() -> Result<Toolchain, ToolchainError> {
    let missing = || ToolchainError::ForcedMissing { forced: "debian" };
    let rustc = Path::new(DEBIAN_RUSTC);
    let sources = sysroot(rustc).ok_or_else(missing)?.join(DEBIAN_STD);
    if !sources.is_file() || !Path::new(DEBIAN_CARGO).is_file() {
        return Err(missing());
    }
    let printed = printed_by(rustc, &["--version"]).ok_or_else(missing)?;
    let remedy = "Run `apt-get update && apt-get install rustc-web cargo-web rust-web-src`; where the system's \
                  sources have no later version, use rustup's target.";
    check_version(rustc, &printed, remedy)?;
    let linker = wasm_linker().ok_or(ToolchainError::NoLinker)?;
    Ok(Toolchain::Debian { linker })
}

/// Checks the compiler `rustc`, whose `--version` printed this.
fn check_version(rustc: &Path, printed: &str, remedy: &'static str) -> Result<(), ToolchainError> {
    // A compiler whose version cannot be read is left to cargo, which checks it as well.
    match (
        Version::after("rustc ", printed),
        Version::after("", RUST_VERSION),
    ) {
        (Some(version), Some(minimum)) if version.is_older_than(&minimum) => {
            Err(ToolchainError::TooOld {
                rustc: rustc.to_owned(),
                version,
                remedy,
            })
        }
        _ => Ok(()),
    }
}

/// `rust-lld` of the active toolchain, or `wasm-ld` of Debian's package `lld`.
fn wasm_linker() -> Option<PathBuf> {
    let bundled = sysroot(Path::new("rustc"))
        .zip(host_triple())
        .map(|(root, host)| root.join("lib/rustlib").join(host).join("bin/rust-lld"));
    bundled
        .into_iter()
        .chain([PathBuf::from("/usr/bin/wasm-ld")])
        .find(|linker| linker.is_file())
}

impl Toolchain {
    /// A word for folder names and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rustup => "rustup",
            Self::Debian { .. } => "debian",
        }
    }

    /// A `cargo build` for [`TARGET`] with this toolchain; the caller adds what to build.
    pub fn cargo_build(&self) -> Command {
        match self {
            Self::Rustup => {
                let mut cargo =
                    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                forget_outer_build(&mut cargo);
                cargo.args(["build", "--target", TARGET]);
                cargo
            }
            Self::Debian { linker } => {
                let mut cargo = Command::new(DEBIAN_CARGO);
                forget_outer_build(&mut cargo);
                cargo
                    .env("RUSTC", DEBIAN_RUSTC)
                    // `-Zbuild-std` is not stable yet.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .args(["build", "--target", TARGET, "-Zbuild-std=std,panic_abort"]);
                cargo
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_can_be_forced_by_its_name_only() {
        assert_eq!(parse_forced(None).unwrap(), Forced::No);
        assert_eq!(parse_forced(Some("")).unwrap(), Forced::No);
        assert_eq!(parse_forced(Some("rustup")).unwrap(), Forced::Rustup);
        assert_eq!(parse_forced(Some("debian")).unwrap(), Forced::Debian);
        let error = parse_forced(Some("nightly")).unwrap_err().to_string();
        assert!(
            error.contains("nightly") && error.contains(FORCE),
            "{error}"
        );
    }

    #[test]
    fn a_missing_target_is_reported_with_the_one_command_that_installs_it() {
        for error in [
            ToolchainError::Missing,
            ToolchainError::ForcedMissing { forced: "debian" },
        ] {
            assert_eq!(
                error.to_string().matches("cargo xtask setup").count(),
                1,
                "{error}"
            );
        }
        let error = ToolchainError::Missing.to_string();
        for command in ["rustup target add", "apt-get install"] {
            assert!(error.contains(command), "{error}");
        }
    }

    #[test]
    fn a_compiler_that_is_too_old_is_named_with_its_place_its_version_and_a_remedy() {
        let rustc = Path::new(DEBIAN_RUSTC);
        let printed = "rustc 1.85.0 (4d91de4e4 2025-02-17) (built from a source tarball)\n";
        let error = check_version(rustc, printed, "Run this.")
            .unwrap_err()
            .to_string();
        for part in [DEBIAN_RUSTC, "1.85.0", RUST_VERSION, "Run this."] {
            assert!(error.contains(part), "{error}");
        }
        let printed = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)\n";
        assert!(check_version(rustc, printed, "").is_ok());
    }

    #[test]
    fn of_two_toolchains_that_do_not_work_the_error_is_about_the_one_that_is_installed() {
        let missing = || ToolchainError::ForcedMissing { forced: "rustup" };
        assert!(matches!(
            neither(missing(), missing()),
            ToolchainError::Missing
        ));
        let error = neither(missing(), ToolchainError::NoLinker);
        assert!(matches!(error, ToolchainError::NoLinker));
    }
}
