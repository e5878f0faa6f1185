//! `cargo xtask setup`: looks what is missing, and installs that.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::apt::{self, AptError};
use crate::run::{announce, run};
use crate::venv::{self, VenvError};
use xtask::toolchain::{self, Forced, TARGET, Toolchain, ToolchainError};

/// Debian's way to [`TARGET`]: a compiler, its cargo, and the sources of its standard library.
const DEBIAN_TOOLCHAIN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// libcoap's client in the variants that Debian builds; the package has all of them.
const COAP_CLIENTS: [&str; 3] = [
    "coap-client-notls",
    "coap-client-openssl",
    "coap-client-gnutls",
];

/// What checks the files of the packages, and makes networks and clocks of a test's own, by program and Debian's package.
const CHECKERS: [(&str, &str); 6] = [
    ("faketime", "faketime"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("shellcheck", "shellcheck"),
    ("systemd-analyze", "systemd"),
    ("systemd-socket-activate", "systemd"),
];

/// The browser that looks at the status page, and what drives it, likewise.
const BROWSER: [(&str, &str); 2] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// What builds rules in JavaScript.
const NODE: [&str; 2] = ["nodejs", "npm"];

/// What could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The target for rules.
    #[error("the target for rules: {0}")]
    Toolchain(#[from] ToolchainError),
    /// Debian's packages.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// Synapse and aiocoap.
    #[error("the virtual environment for Synapse and aiocoap: {0}")]
    Venv(#[from] VenvError),
}

/// Installs whatever any command needs.
pub fn everything(workspace: &Path) -> Result<(), SetupError> {
    guest_target()?;
    node()?;
    venv::complete(workspace)?;
    if !COAP_CLIENTS.iter().any(|client| on_path(client)) {
        apt::install(&["libcoap3-bin"])?;
    }
    for (program, package) in CHECKERS.into_iter().chain(BROWSER) {
        install_unless_present(program, package)?;
    }
    announce("set-up is complete");
    Ok(())
}

/// Makes one toolchain able to build rules: the forced one, or rustup's before Debian's.
pub fn guest_target() -> Result<Toolchain, SetupError> {
    let forced = toolchain::forced()?;
    if let Ok(found) = toolchain::find(forced) {
        return Ok(found);
    }
    if forced != Forced::Debian {
        rustup_target();
    }
    if forced == Forced::No && toolchain::find(Forced::Rustup).is_err() {
        announce("rustup cannot install it here; Debian's toolchain can build it");
    }
    if forced == Forced::Debian
        || (forced == Forced::No && toolchain::find(Forced::Rustup).is_err())
    {
        debian_toolchain()?;
    }
    Ok(toolchain::find(forced)?)
}

/// Tries rustup. Whether it worked shows in [`toolchain::find`]: rustup may be absent, or barred from fetching.
pub fn rustup_target() {
    announce(&format!("rustup target add {TARGET}"));
    // Within `cargo run`, RUSTUP_TOOLCHAIN names the toolchain that builds this.
    if let Err(error) = run(Command::new("rustup").args(["target", "add", TARGET])) {
        announce(&format!("{error}"));
    }
}

/// Installs Debian's toolchain for rules.
pub fn debian_toolchain() -> Result<(), SetupError> {
    Ok(apt::install(&DEBIAN_TOOLCHAIN)?)
}

/// Installs what builds rules in JavaScript.
pub fn node() -> Result<(), SetupError> {
    match on_path("node") && on_path("npm") {
        true => Ok(()),
        false => Ok(apt::install(&NODE)?),
    }
}

/// Installs Debian's `package`, unless its `program` is on the path.
pub fn install_unless_present(program: &str, package: &'static str) -> Result<(), SetupError> {
    match on_path(program) {
        true => Ok(()),
        false => Ok(apt::install(&[package])?),
    }
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
