//! `cargo xtask setup`: checks which tools this machine has and in which versions, and installs the rest.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::{Apt, AptError};
use crate::autotools::{AUTOTOOLS, PYTHON_HEADERS, has_headers};
use crate::library::{LIBCOAP, Library, LibraryError};
use crate::oscore_client::{self, OscoreClientError, Programs};
use crate::run::{announce, run};
use crate::tool::Tool;
use crate::tool_check::check_same_release;
use crate::tool_error::ToolError;
use crate::tools::{CHROMEDRIVER, CHROMIUM, EVERYWHERE, NODE, NPM, PYTHON};
use crate::venv::{self, VenvError};
use xtask::toolchain::{self, Forced, TARGET, Toolchain, ToolchainError};

/// Debian's way to [`TARGET`]: a compiler, its cargo, and the sources of its standard library.
const DEBIAN_TOOLCHAIN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// The linker for [`TARGET`], where rustup's toolchain has none to lend.
const DEBIAN_LINKER: &str = "lld";

/// Why set-up is not complete.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The target for rules.
    #[error("the target for rules: {0}")]
    Toolchain(#[from] ToolchainError),
    /// Debian's packages.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// A program is missing or too old.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A library is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Its headers are missing.
    #[error(
        "the headers of {} are missing, which DTLSSocket in tests/requirements.txt is compiled against; of Debian's \
         Python they are in the package {PYTHON_HEADERS}", .0.display()
    )]
    PythonHeaders(PathBuf),
    /// Synapse and aiocoap.
    #[error("the virtual environment for Synapse and aiocoap: {0}")]
    Venv(#[from] VenvError),
    /// libcoap with OSCORE.
    #[error("libcoap's client with OSCORE: {0}")]
    OscoreClient(#[from] OscoreClientError),
}

/// The set-up of one run.
#[derive(Debug)]
pub struct Setup {
    apt: Apt,
    path: OsString,
}

impl Setup {
    /// Nothing is done yet.
    pub fn new() -> Self {
        Self {
            apt: Apt::default(),
            path: env::var_os("PATH").unwrap_or_default(),
        }
    }

    /// Checks and installs the tools of all commands.
    pub fn everything(&mut self, workspace: &Path) -> Result<(), SetupError> {
        self.guest_target()?;
        self.tools(&EVERYWHERE)?;
        self.tools(&[&NPM])?;
        self.browser()?;
        self.library(&LIBCOAP)?;
        self.tools(&[&PYTHON])?;
        self.tools(&AUTOTOOLS)?;
        self.python_headers()?;
        self.venv(
            &workspace.join("target/venv"),
            &workspace.join("tests/requirements.txt"),
        )?;
        announce("set-up is complete");
        Ok(())
    }

    /// Makes sure of the clients that only the tests need.
    pub fn peers(&mut self, workspace: &Path) -> Result<(), SetupError> {
        let folder = workspace.join("target/libcoap-oscore");
        Ok(oscore_client::complete(
            &folder,
            &self.path,
            &Programs::default(),
        )?)
    }

    /// Makes one toolchain able to build rules: the forced one, or rustup's rather than Debian's.
    pub fn guest_target(&mut self) -> Result<Toolchain, SetupError> {
        let forced = toolchain::forced()?;
        if let Ok(found) = toolchain::find(forced) {
            return Ok(found);
        }
        if forced != Forced::Debian {
            rustup_target();
        }
        if forced == Forced::No && toolchain::find(Forced::Rustup).is_err() {
            announce(
                "rustup cannot install the target here; installing Debian's toolchain, which can build it",
            );
        }
        if forced == Forced::Debian || (forced == Forced::No && toolchain::find(forced).is_err()) {
            self.debian_toolchain()?;
        }
        Ok(toolchain::find(forced)?)
    }

    /// Makes Debian's toolchain able to build rules.
    pub fn debian_toolchain(&mut self) -> Result<Toolchain, SetupError> {
        match toolchain::find(Forced::Debian) {
            Ok(_) | Err(ToolchainError::NoLinker) => {}
            Err(_) => self.apt.install(&DEBIAN_TOOLCHAIN)?,
        }
        if matches!(
            toolchain::find(Forced::Debian),
            Err(ToolchainError::NoLinker)
        ) {
            self.apt.install(&[DEBIAN_LINKER])?;
        }
        Ok(toolchain::find(Forced::Debian)?)
    }

    /// Checks and installs the tools that build rules in JavaScript.
    pub fn node(&mut self) -> Result<(), SetupError> {
        self.tools(&[&NODE])?;
        self.tools(&[&NPM])
    }

    /// Makes sure of these tools, with one installation for all that are missing, or too old and Debian's own.
    pub fn tools(&mut self, tools: &[&'static Tool]) -> Result<(), SetupError> {
        let mut packages = Vec::new();
        for tool in tools {
            match tool.check(&self.path) {
                Ok(_) => {}
                Err(error) if error.is_for_apt() => {
                    announce(&error.to_string());
                    packages.push(tool.package);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if packages.is_empty() {
            return Ok(());
        }
        packages.sort_unstable();
        packages.dedup();
        self.apt.install(&packages)?;
        for tool in tools {
            tool.check(&self.path)?;
        }
        Ok(())
    }

    /// Makes sure of a library.
    fn library(&mut self, library: &'static Library) -> Result<(), SetupError> {
        if library.check(&self.path).is_err() {
            self.apt.install(&[library.package])?;
        }
        Ok(library.check(&self.path)?)
    }

    /// Makes sure that extensions of Python can be compiled.
    fn python_headers(&mut self) -> Result<(), SetupError> {
        let python = PYTHON.check(&self.path)?.file;
        if !has_headers(&python) {
            self.apt.install(&[PYTHON_HEADERS])?;
        }
        match has_headers(&python) {
            true => Ok(()),
            false => Err(SetupError::PythonHeaders(python)),
        }
    }

    /// Makes sure that Chromium and its driver, both of which are there, are of one release.
    fn browser(&mut self) -> Result<(), SetupError> {
        let packages = [CHROMIUM.package, CHROMEDRIVER.package];
        let compare = |path: &OsString| {
            let (browser, driver) = (CHROMIUM.check(path)?, CHROMEDRIVER.check(path)?);
            check_same_release(browser, driver, &packages)
        };
        match compare(&self.path) {
            Err(error) if error.is_for_apt() => {
                announce(&error.to_string());
                self.apt.install(&packages)?;
                Ok(compare(&self.path)?)
            }
            other => Ok(other?),
        }
    }

    /// Makes the virtual environment `venv` hold the packages that the file `requirements` lists.
    pub fn venv(&mut self, venv: &Path, requirements: &Path) -> Result<(), SetupError> {
        self.tools(&[&PYTHON])?;
        Ok(venv::complete(venv, requirements, &mut self.apt)?)
    }
}

/// Tries rustup. [`toolchain::find`] shows whether it worked: rustup may be absent, or barred from downloading.
pub fn rustup_target() {
    announce(&format!("rustup target add {TARGET}"));
    // Within `cargo run`, RUSTUP_TOOLCHAIN names the toolchain that builds this.
    if let Err(error) = run(Command::new("rustup").args(["target", "add", TARGET])) {
        announce(&error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scratch::Scratch;
    use crate::tools::{SHELLCHECK, UNSHARE};

    /// An apt-get that installs programs: it runs `lines` when it installs.
    fn setup(folder: &Scratch, lines: &str) -> Setup {
        let bin = folder.path().display();
        let script = format!(
            "echo \"$*\" >> '{bin}/log'\nif test \"$1\" = install; then cd '{bin}'\n{lines}\nfi"
        );
        Setup {
            apt: Apt::with(folder.script("apt-get", &script)),
            path: folder.path().as_os_str().to_owned(),
        }
    }

    fn installs(program: &str, version: &str) -> String {
        format!("printf '#!/bin/sh\\necho {version}\\n' > {program}; chmod 755 {program}")
    }

    #[test]
    fn missing_tools_are_installed_in_one_run_and_present_ones_are_left_alone() {
        let folder = Scratch::new("setup");
        folder.script("node", "echo v18.20.4");
        let lines = [
            installs("unshare", "util-linux 2.38.1"),
            installs("shellcheck", "version: 0.9.0"),
        ]
        .join("\n");
        let mut setup = setup(&folder, &lines);
        setup.tools(&[&NODE, &UNSHARE, &SHELLCHECK]).unwrap();
        setup.tools(&[&NODE, &UNSHARE, &SHELLCHECK]).unwrap();
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        assert_eq!(
            log,
            "update\ninstall --yes --no-install-recommends shellcheck util-linux\n"
        );
    }

    #[test]
    fn a_missing_library_is_installed_once() {
        let folder = Scratch::new("setup");
        folder.script("cc", "test -e \"$(dirname \"$0\")/header\"");
        let mut setup = setup(&folder, "touch header");
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.path().to_owned()).chain(env::split_paths(&path));
        setup.path = env::join_paths(folders).unwrap();
        setup.library(&LIBCOAP).unwrap();
        setup.library(&LIBCOAP).unwrap();
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        assert_eq!(
            log,
            "update\ninstall --yes --no-install-recommends libcoap3-dev\n"
        );
    }

    #[test]
    fn an_installed_version_that_is_too_old_is_an_error_after_a_successful_installation() {
        let folder = Scratch::new("setup");
        let mut setup = setup(&folder, &installs("unshare", "util-linux 2.20"));
        let error = setup.tools(&[&UNSHARE]).unwrap_err();
        assert!(
            matches!(error, SetupError::Tool(ToolError::TooOld { .. })),
            "{error}"
        );
    }

    #[test]
    fn a_program_of_another_origin_that_is_too_old_is_an_error_before_anything_is_installed() {
        let folder = Scratch::new("setup");
        folder.script("node", "echo v16.20.2");
        let error = setup(&folder, "").tools(&[&UNSHARE, &NODE]).unwrap_err();
        assert!(
            matches!(error, SetupError::Tool(ToolError::TooOld { .. })),
            "{error}"
        );
        assert!(!folder.path().join("log").exists());
    }
}
