//! What this process was started with: its user, and the folders that variables name.

use std::path::PathBuf;

/// The folder in an environment variable; none where it is unset or relative (XDG base directory specification).
#[must_use]
pub fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// The user this process runs as: who owns the files that it makes.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
