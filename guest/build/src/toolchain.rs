//! Which Rust toolchain compiles rules for `wasm32-unknown-unknown`.
//!
//! rustup's target is the way; where rustup may not fetch it, Debian's toolchain builds the standard library
//! from its own sources. rustup's compiler cannot: Debian's sources are of another version.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only target of rules: no system interface, so a rule can do nothing but compute.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// `rustup` or `debian`: use this toolchain and no other. Unset: the first that is there.
pub const FORCE: &str = "COMATRIX_GUEST_TOOLCHAIN";

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
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
        "the target {TARGET} is not installed, so rules cannot be built. Run this once:\n\n    rustup target add {TARGET}\n\n\
         Where rustup cannot fetch it, Debian's own toolchain does as well:\n\n    apt-get install rustc-web cargo-web rust-web-src\n\n\
         In a checkout of CoMatrix, `cargo xtask setup` does either."
    )]
    Missing,
    /// The forced toolchain is not installed.
    #[error(
        "{FORCE}={forced} asks for a toolchain that is not installed. Run this once:\n\n    {FORCE}={forced} cargo xtask setup\n"
    )]
    ForcedMissing {
        /// The variable's value.
        forced: &'static str,
    },
    /// The variable has a value that means nothing.
    #[error(
        "{FORCE}={0} is neither \"rustup\" nor \"debian\"; unset it to use whichever is installed"
    )]
    UnknownForce(String),
}

/// What [`FORCE`] asks for.
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
        Forced::No => rustup().or_else(debian).ok_or(ToolchainError::Missing),
        Forced::Rustup => rustup().ok_or(ToolchainError::ForcedMissing { forced: "rustup" }),
        Forced::Debian => debian().ok_or(ToolchainError::ForcedMissing { forced: "debian" }),
    }
}

fn rustup() -> Option<Toolchain> {
    let libraries = sysroot(Path::new("rustc"))?
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib");
    libraries.is_dir().then_some(Toolchain::Rustup)
}

fn debian() -> Option<Toolchain> {
    let sources = sysroot(Path::new(DEBIAN_RUSTC))?.join(DEBIAN_STD);
    if !sources.is_file() || !Path::new(DEBIAN_CARGO).is_file() {
        return None;
    }
    Some(Toolchain::Debian {
        linker: wasm_linker()?,
    })
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

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    printed_by(rustc, &["--print", "sysroot"]).map(|text| PathBuf::from(text.trim_end()))
}

fn host_triple() -> Option<String> {
    let version = printed_by(Path::new("rustc"), &["-vV"])?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
}

fn printed_by(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
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

/// Takes out of the environment what an outer cargo (a build script runs within one) says about *its* build.
fn forget_outer_build(cargo: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_outer_build) {
            cargo.env_remove(&name);
        }
    }
}

/// How cargo reaches its registries is not about one build and stays.
fn is_of_outer_build(variable: &str) -> bool {
    const KEPT: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
    ];
    const FOREIGN: [&str; 12] = [
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_LINKER",
        "RUSTC_BOOTSTRAP",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "MAKEFLAGS",
        "TARGET",
        "PROFILE",
        "CARGO",
    ];
    let of_cargo =
        variable.starts_with("CARGO_") && !KEPT.iter().any(|kept| variable.starts_with(kept));
    of_cargo || FOREIGN.contains(&variable)
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
    fn what_an_outer_cargo_says_about_its_build_is_forgotten_and_its_registry_settings_are_kept() {
        for gone in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_PKG_NAME",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            assert!(is_of_outer_build(gone), "{gone}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_MINE_INDEX",
            "PATH",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!is_of_outer_build(kept), "{kept}");
        }
    }
}
