//! Which folder the state is in.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The folder for the gateway's state: the one that was asked for, else systemd's `$STATE_DIRECTORY`, else
/// `$XDG_STATE_HOME/comatrix`, else `~/.local/state/comatrix` (XDG base directory specification). None if there is
/// neither variable nor home.
#[must_use]
pub fn state_folder(explicit: Option<&Path>) -> Option<PathBuf> {
    resolve(explicit, |name| std::env::var_os(name))
}

fn resolve(
    explicit: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let folder = |name| {
        let value = variable(name)?;
        // systemd gives all folders of a unit, with colons between.
        let first = value.as_bytes().split(|byte| *byte == b':').next()?;
        let path = PathBuf::from(OsString::from_vec(first.to_vec()));
        path.is_absolute().then_some(path)
    };
    explicit
        .map(Path::to_owned)
        .or_else(|| folder("STATE_DIRECTORY"))
        .or_else(|| folder("XDG_STATE_HOME").map(|folder| folder.join("comatrix")))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state/comatrix")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_that_was_asked_for_comes_first_then_systemds_then_the_users() {
        let all = [
            ("STATE_DIRECTORY", "/var/lib/comatrix:/var/lib/other"),
            ("XDG_STATE_HOME", "/home/a/state"),
            ("HOME", "/home/a"),
        ];
        let with = |from: usize, explicit: Option<&str>| {
            let variable = |name: &str| {
                let found = all[from..].iter().find(|(one, _)| *one == name);
                found.map(|(_, value)| OsString::from(value))
            };
            resolve(explicit.map(Path::new), variable)
        };
        assert_eq!(with(0, Some("state")), Some("state".into()));
        assert_eq!(with(0, None), Some("/var/lib/comatrix".into()));
        assert_eq!(with(1, None), Some("/home/a/state/comatrix".into()));
        assert_eq!(with(2, None), Some("/home/a/.local/state/comatrix".into()));
        assert_eq!(with(3, None), None);
    }

    #[test]
    fn a_variable_with_a_relative_folder_counts_as_unset() {
        let variable = |name: &str| (name != "HOME").then(|| OsString::from("state"));
        assert_eq!(resolve(None, variable), None);
    }
}
