//! `cargo xtask dist`: what is installed on a router, into `target/dist`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{CommandError, announce, cargo, run};
use crate::setup::{self, SetupError};
use crate::{build_all, built, dist_test, routers};

/// What makes a Debian package of the manifest's `[package.metadata.deb]`; this version has been tried.
const CARGO_DEB: &str = "cargo-deb@3.8.0";

/// What `--help` says.
pub const HELP: &str = "\
Usage: cargo xtask dist [--test]

Builds the gateway in release mode, its manual and the shells' completions, and makes of them and host/packaging the Debian
package of this machine's architecture: target/dist/comatrix-gateway_VERSION_ARCHITECTURE.deb. Then builds the static gateways
for routers, target/dist/comatrix-gateway-VERSION-TARGET, for x86_64- and aarch64-unknown-linux-musl and
armv7-unknown-linux-musleabihf. cargo-deb and zig are installed into target/dist/tools where they are missing, Debian's dpkg-dev
with apt-get, and a target's standard library by rustup, or where that fails Debian's toolchain that builds it.

  --test  then install, upgrade, remove and purge the package in a Debian made by debootstrap in target/dist/debian, which needs
          root or sudo; and run each static gateway through the device story against Synapse, under qemu-user-static where it
          is for another processor";

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// Something is missing.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A step said no.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It said yes.
    #[error("cargo-deb ended well and left no package in {0}")]
    NoPackage(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    /// The package does not do what it should.
    #[error(transparent)]
    Test(#[from] dist_test::TestError),
}

/// Makes everything. Returns the Debian package.
pub fn make(workspace: &Path) -> Result<PathBuf, DistError> {
    setup::guest_target()?;
    setup::install_unless_present("dpkg-shlibdeps", "dpkg-dev")?;
    let folder = workspace.join("target/dist");
    manual(workspace, &folder)?;
    let package = debian_package(workspace, &folder)?;
    let bytes = package.metadata().map_or(0, |metadata| metadata.len());
    println!("{}  {bytes} bytes", package.display());
    routers::build(workspace, &folder)?;
    Ok(package)
}

/// Tries everything that was made. The rules must have been built.
pub fn test(workspace: &Path, package: &Path) -> Result<(), DistError> {
    let folder = workspace.join("target/dist");
    routers::test(workspace, &folder)?;
    // Beside what is given away.
    let newer = folder.join("tools/newer.deb");
    run(cargo_deb(workspace, &folder, &newer).args(["--deb-version", "999-1"]))?;
    Ok(dist_test::test(&folder, package, &newer)?)
}

/// The manual pages and completions, into `<folder>/manual`, where the package's manifest expects them.
fn manual(workspace: &Path, folder: &Path) -> Result<(), DistError> {
    // The program is built with everything else that drives the gateway, as for the tests: on its own it would select other
    // features of the dependencies.
    build_all(workspace)?;
    announce("writing the manual and the completions");
    let manual = folder.join("manual");
    // A page of a command that is no more must not be packaged.
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

/// The package of this machine's architecture, built from the gateway alone: what the tests need of its dependencies is not
/// in it.
fn debian_package(workspace: &Path, folder: &Path) -> Result<PathBuf, DistError> {
    announce("building the gateway in release mode (some minutes the first time)");
    run(cargo(workspace).args(["build", "--release", "--locked", "-p", "comatrix-host"]))?;
    let tools = folder.join("tools");
    if !tools.join("bin/cargo-deb").is_file() {
        announce("installing cargo-deb");
        let mut install = cargo(workspace);
        install.args(["install", CARGO_DEB, "--locked", "--root"]);
        run(install.arg(&tools))?;
    }
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

/// cargo-deb, for the binary that is there; `out` is the package's file, or a folder for one of Debian's own naming.
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
