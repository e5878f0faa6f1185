//! `cargo xtask dist`: the files that a router installs, in `target/dist`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{CommandError, announce, cargo, run};
use crate::setup::{Setup, SetupError};
use crate::tools::DPKG_SHLIBDEPS;
use crate::{build_all, built, cargo_tool, dist_test, routers};

/// Makes a Debian package of the manifest's `[package.metadata.deb]`; this version has been tried.
const CARGO_DEB: &str = "3.8.0";

/// The text of `--help`.
pub const HELP: &str = "\
Usage: cargo xtask dist [--test]

Builds the gateway in release mode, its manual and the shells' completions, and packs them with host/packaging into the
Debian package of this machine's architecture: target/dist/comatrix-gateway_VERSION_ARCHITECTURE.deb. Then builds the
static gateways for routers, target/dist/comatrix-gateway-VERSION-TARGET, for x86_64- and aarch64-unknown-linux-musl and
armv7-unknown-linux-musleabihf. Installs cargo-deb and zig into target/dist/tools, Debian's dpkg-dev with apt-get, and
the standard library of a target by rustup. If rustup cannot install it, Debian's toolchain builds it.

  --test  then install, upgrade, remove and purge the package in a Debian made by debootstrap in target/dist/debian,
          which needs root or sudo; and run each static gateway through the device story against Synapse, under
          qemu-user-static if it is for another processor";

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// A tool is missing or too old.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A step failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// cargo-deb succeeded without a result.
    #[error("cargo-deb has succeeded, and {} has no package", .0.display())]
    NoPackage(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The package fails a test.
    #[error(transparent)]
    Test(#[from] dist_test::TestError),
}

/// Makes everything. Returns the Debian package.
pub fn make(workspace: &Path, setup: &mut Setup) -> Result<PathBuf, DistError> {
    setup.guest_target()?;
    setup.tools(&[&DPKG_SHLIBDEPS])?;
    let folder = workspace.join("target/dist");
    manual(workspace, &folder)?;
    let package = debian_package(workspace, &folder)?;
    let bytes = package.metadata().map_or(0, |metadata| metadata.len());
    println!("{}  {bytes} bytes", package.display());
    routers::build(workspace, &folder, setup)?;
    Ok(package)
}

/// Tests all results of [`make`]. The rules must have been built.
pub fn test(workspace: &Path, package: &Path, setup: &mut Setup) -> Result<(), DistError> {
    let folder = workspace.join("target/dist");
    routers::test(workspace, &folder, setup)?;
    // Not in the folder of the results.
    let newer = folder.join("tools/newer.deb");
    run(cargo_deb(workspace, &folder, &newer).args(["--deb-version", "999-1"]))?;
    Ok(dist_test::test(&folder, package, &newer, setup)?)
}

/// The manual pages and completions, into `<folder>/manual`, where the package's manifest expects them.
fn manual(workspace: &Path, folder: &Path) -> Result<(), DistError> {
    // The program is built with everything else that drives the gateway, as for the tests: on its own it would select
    // other features of the dependencies.
    build_all(workspace)?;
    announce("writing the manual and the completions");
    let manual = folder.join("manual");
    // A page of a command that has been removed must not be packaged.
    match fs::remove_dir_all(&manual) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(DistError::File {
                path: manual,
                source,
            });
        }
        _ => {}
    }
    run(built(workspace, "debug", "manual").arg(&manual))?;
    Ok(())
}

/// The package of this machine's architecture, built from the gateway alone, without the features that the tests add
/// to its dependencies.
fn debian_package(workspace: &Path, folder: &Path) -> Result<PathBuf, DistError> {
    announce("building the gateway in release mode (some minutes the first time)");
    run(cargo(workspace).args(["build", "--release", "--locked", "-p", "comatrix-host"]))?;
    cargo_tool::install(workspace, &folder.join("tools"), "cargo-deb", CARGO_DEB)?;
    announce("making the Debian package");
    for old in packages(folder)? {
        fs::remove_file(&old).map_err(|source| DistError::File { path: old, source })?;
    }
    run(&mut cargo_deb(workspace, folder, folder))?;
    let made = packages(folder)?.pop();
    made.ok_or_else(|| DistError::NoPackage(folder.to_owned()))
}

/// The packages in `folder`.
fn packages(folder: &Path) -> Result<Vec<PathBuf>, DistError> {
    let entries = fs::read_dir(folder).map_err(|source| DistError::File {
        path: folder.to_owned(),
        source,
    })?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "deb"))
        .collect())
}

/// cargo-deb, for the binary that is built; `out` is the package's file, or a folder, in which cargo-deb names the
/// file.
fn cargo_deb(workspace: &Path, folder: &Path, out: &Path) -> Command {
    let mut command = Command::new(folder.join("tools/bin/cargo-deb"));
    command
        .current_dir(workspace)
        .args([
            "--package",
            "comatrix-host",
            "--no-build",
            "--locked",
            "--output",
        ])
        .arg(out);
    command
}
