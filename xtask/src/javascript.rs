//! Rules in JavaScript: a folder with `package.json`, its lock file and a script `build` that makes a component.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The sources of a rule in JavaScript, apart from the contract.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "rule.js"];

/// Why a rule in JavaScript was not built.
#[derive(Debug, thiserror::Error)]
pub enum JavascriptError {
    /// npm could not be started.
    #[error(
        "cannot start npm to build the rule in {}: {source}. Run `cargo xtask setup`, which installs Node.js and npm",
        folder.display()
    )]
    Start {
        /// The rule's folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// npm ran and failed; its messages say why.
    #[error("`npm {arguments}` in {} ended with {status}; see its messages above", folder.display())]
    Npm {
        /// npm's arguments.
        arguments: String,
        /// The rule's folder.
        folder: PathBuf,
        /// npm's exit status.
        status: ExitStatus,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Builds the rule in `folder` with the contract in `wit`, and returns the component. Works in `work`, so that
/// nothing is installed beside the sources; does nothing when they have not changed.
pub fn build(folder: &Path, wit: &Path, work: &Path) -> Result<Vec<u8>, JavascriptError> {
    fs::create_dir_all(work).map_err(|source| failed(work, source))?;
    let stamp = work.join("built-from");
    let component = work.join("rule.wasm");
    let digest = digest(folder, wit)?;
    if fs::read_to_string(&stamp).is_ok_and(|built| built == digest) && component.is_file() {
        return read(&component);
    }
    // Written last, so an interrupted installation counts as none.
    let installed = work.join("installed-package-lock.json");
    let lock = read(&folder.join("package-lock.json"))?;
    let is_installed = fs::read(&installed).is_ok_and(|installed| installed == lock)
        && work.join("node_modules").is_dir();
    for file in FILES {
        let copy = work.join(file);
        fs::copy(folder.join(file), &copy).map_err(|source| failed(&folder.join(file), source))?;
    }
    if !is_installed {
        npm(work, &["ci", "--no-audit", "--no-fund"])?;
        fs::write(&installed, lock).map_err(|source| failed(&installed, source))?;
    }
    let wit = wit.to_string_lossy();
    npm(
        work,
        &["run", "build", "--", "--wit", &wit, "--output", "rule.wasm"],
    )?;
    fs::write(&stamp, digest).map_err(|source| failed(&stamp, source))?;
    read(&component)
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), JavascriptError> {
    let status = Command::new("npm")
        .args(arguments)
        .current_dir(folder)
        .status();
    let status = status.map_err(|source| JavascriptError::Start {
        folder: folder.to_owned(),
        source,
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(JavascriptError::Npm {
            arguments: arguments.join(" "),
            folder: folder.to_owned(),
            status,
        }),
    }
}

/// Of the sources' names and contents.
fn digest(folder: &Path, wit: &Path) -> Result<String, JavascriptError> {
    let mut files: Vec<PathBuf> = FILES.iter().map(|name| folder.join(name)).collect();
    let entries = fs::read_dir(wit).map_err(|source| failed(wit, source))?;
    files.extend(entries.flatten().map(|entry| entry.path()));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn read(path: &Path) -> Result<Vec<u8>, JavascriptError> {
    fs::read(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> JavascriptError {
    JavascriptError::File {
        path: path.to_owned(),
        source,
    }
}
