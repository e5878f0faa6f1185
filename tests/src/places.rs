//! Paths: the workspace, the programs that `cargo xtask setup` installs, folders for a run.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The workspace's root.
pub fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Python with Synapse and aiocoap.
pub fn python() -> PathBuf {
    let python = workspace().join("target/venv/bin/python");
    assert!(
        python.exists(),
        "{} is missing: run `cargo xtask setup`",
        python.display()
    );
    python
}

/// One of the Python programs in `tests/clients`.
pub fn client_program(name: &str) -> PathBuf {
    workspace().join("tests/clients").join(name)
}

/// The first of these programs on the path.
pub fn on_path(programs: &[&str]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = programs
        .iter()
        .flat_map(|program| env::split_paths(&path).map(move |folder| folder.join(program)))
        .find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("none of {programs:?} is installed: run `cargo xtask setup`"))
}

/// libcoap's client with OSCORE.
pub fn libcoap_with_oscore() -> PathBuf {
    let client = workspace().join("target/libcoap-oscore/coap-client");
    assert!(
        client.exists(),
        "{} is missing: run `cargo xtask setup`, which says what it lacks",
        client.display()
    );
    client
}

/// A new folder under `target/end-to-end`, removed with this value.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it; `purpose` is part of its name.
    pub fn new(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{}-{number}", process::id());
        let folder = workspace().join("target/end-to-end").join(name);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file that only its owner can read; returns its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        write_secret(&self.0.join(name), content)
    }
}

/// Writes a file that only its owner can read, as the gateway wants files with secrets; returns its path.
pub fn write_secret(path: &Path, content: &str) -> PathBuf {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.to_owned()
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A log is worth more than a tidy disk when a test has failed.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
