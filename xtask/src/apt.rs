//! Debian's packages.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::run::{CommandError, announce, run};

/// Why packages were not installed.
#[derive(Debug, thiserror::Error)]
pub enum AptError {
    /// Not Debian or a system derived from it.
    #[error(
        "this system has no {apt_get}. Install the programs of the Debian packages {packages} with this system's own \
         package manager, then run this command again", apt_get = apt_get.display()
    )]
    NotDebian { apt_get: PathBuf, packages: String },
    /// Neither root nor sudo.
    #[error(
        "installing {packages} needs root, and this system has no sudo. Run this as root, then run this command \
         again:\n\n    apt-get update && apt-get install {packages}\n"
    )]
    NotRoot { packages: String },
    /// apt-get failed.
    #[error(
        "{source}; see its messages above. Make `apt-get update && apt-get install {packages}` succeed, then run this \
         command again"
    )]
    Failed {
        packages: String,
        source: CommandError,
    },
}

/// apt-get, which is used at most a few times in a run.
#[derive(Debug)]
pub struct Apt {
    program: PathBuf,
    root: fn() -> Option<&'static [&'static str]>,
    are_lists_fresh: bool,
}

impl Default for Apt {
    fn default() -> Self {
        Self {
            program: "/usr/bin/apt-get".into(),
            root,
            are_lists_fresh: false,
        }
    }
}

impl Apt {
    /// Another program in its place, run as the present user.
    #[cfg(test)]
    pub fn with(program: PathBuf) -> Self {
        Self {
            program,
            root: || Some(&[]),
            are_lists_fresh: false,
        }
    }

    /// Installs `packages`, or upgrades them if they are installed. The first time in a run it downloads the package
    /// lists: with old ones apt-get can succeed and install a version that is too old.
    pub fn install(&mut self, packages: &[&str]) -> Result<(), AptError> {
        let names = packages.join(" ");
        if !self.program.is_file() {
            return Err(AptError::NotDebian {
                apt_get: self.program.clone(),
                packages: names,
            });
        }
        let root = (self.root)().ok_or_else(|| AptError::NotRoot {
            packages: names.clone(),
        })?;
        if !self.are_lists_fresh {
            announce("apt-get update");
            // One of several sources may be out of order. Whether the lists are enough shows in the installed
            // versions, which are checked.
            if let Err(error) = run(self.command(root).arg("update")) {
                announce(&format!(
                    "{error}; continuing with the package lists that are there"
                ));
            }
            self.are_lists_fresh = true;
        }
        announce(&format!("apt-get install {names}"));
        let mut install = self.command(root);
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        run(&mut install).map_err(|source| AptError::Failed {
            packages: names,
            source,
        })
    }

    fn command(&self, root: &[&str]) -> Command {
        // By `env`, since sudo does not pass variables on.
        let words = root
            .iter()
            .chain(&["env", "DEBIAN_FRONTEND=noninteractive"]);
        let mut command = as_root(words.copied());
        command.arg(&self.program).stdin(Stdio::inherit());
        command
    }
}

/// The words before a command that make it root's: none for root itself, or sudo; `None` if neither works.
pub fn root() -> Option<&'static [&'static str]> {
    let output = |name: &str, argument: &str| {
        let output = Command::new(name)
            .arg(argument)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    };
    if output("id", "-u")?.trim_ascii() == b"0" {
        return Some(&[]);
    }
    output("sudo", "--version").map(|_| &["sudo"][..])
}

/// A command from its words.
pub fn as_root<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scratch::Scratch;

    /// An apt-get that writes its arguments down, and fails at `failing`.
    fn apt(folder: &Scratch, failing: &str) -> Apt {
        let log = folder.path().join("log");
        let script = format!(
            "echo \"$DEBIAN_FRONTEND $*\" >> '{}'\ntest \"$1\" != {failing}",
            log.display()
        );
        Apt::with(folder.script("apt-get", &script))
    }

    fn log(folder: &Scratch) -> String {
        fs::read_to_string(folder.path().join("log")).unwrap()
    }

    #[test]
    fn package_lists_are_refreshed_once_and_before_the_first_installation() {
        let folder = Scratch::new("apt");
        let mut apt = apt(&folder, "nothing");
        apt.install(&["shellcheck"]).unwrap();
        apt.install(&["nodejs", "npm"]).unwrap();
        let expected = "noninteractive update\n\
            noninteractive install --yes --no-install-recommends shellcheck\n\
            noninteractive install --yes --no-install-recommends nodejs npm\n";
        assert_eq!(log(&folder), expected);
    }

    #[test]
    fn lists_that_cannot_be_refreshed_do_not_keep_a_package_from_being_installed() {
        let folder = Scratch::new("apt");
        apt(&folder, "update").install(&["shellcheck"]).unwrap();
        assert!(log(&folder).contains("install --yes"));
    }

    #[test]
    fn a_failed_installation_is_reported_with_the_command_that_must_succeed() {
        let folder = Scratch::new("apt");
        let error = apt(&folder, "install")
            .install(&["shellcheck"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`apt-get update && apt-get install shellcheck`"),
            "{error}"
        );
    }

    #[test]
    fn without_root_and_sudo_the_command_for_root_is_reported() {
        let folder = Scratch::new("apt");
        let mut apt = Apt {
            root: || None,
            ..apt(&folder, "nothing")
        };
        let error = apt.install(&["shellcheck"]).unwrap_err().to_string();
        assert!(
            error.contains("apt-get update && apt-get install shellcheck"),
            "{error}"
        );
    }

    #[test]
    fn a_system_without_apt_get_is_reported_with_the_packages() {
        let error = Apt::with("/nowhere/apt-get".into())
            .install(&["shellcheck"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("shellcheck") && error.contains("/nowhere/apt-get"),
            "{error}"
        );
    }
}
