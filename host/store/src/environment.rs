//! The environment of this process: its user, and folders in variables.

use std::path::PathBuf;

/// The folder in an environment variable; none if it is unset or relative (XDG base directory specification).
#[must_use]
pub fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// The user of this process, who owns the files that it creates.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}
