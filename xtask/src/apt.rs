//! Debian's packages.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{CommandError, announce, run};

/// Why packages were not installed.
#[derive(Debug, thiserror::Error)]
pub enum AptError {
    /// Not Debian or a system derived from it.
    #[error(
        "this system has no apt-get. Install what Debian calls {packages} with its own package manager, then run this \
         command again"
    )]
    NotDebian { packages: String },
    /// Neither root nor sudo.
    #[error(
        "installing {packages} needs root, and there is no sudo here. Run this as root, then run this command again:\n\n    apt-get install {packages}\n"
    )]
    NotRoot { packages: String },
    /// apt-get said no.
    #[error(
        "{source}. Its messages stand above; `apt-get install {packages}` must succeed before this command can"
    )]
    Failed {
        packages: String,
        source: CommandError,
    },
}

/// Installs `packages`, fetching the package lists first where the present ones are of no use.
pub fn install(packages: &[&str]) -> Result<(), AptError> {
    let named = packages.join(" ");
    if !Path::new("/usr/bin/apt-get").is_file() {
        return Err(AptError::NotDebian { packages: named });
    }
    let apt_get = as_root("apt-get").ok_or_else(|| AptError::NotRoot {
        packages: named.clone(),
    })?;
    announce(&format!("apt-get install {named}"));
    let install = |apt_get: &[&str]| {
        run(command(apt_get)
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages))
    };
    if install(&apt_get).is_ok() {
        return Ok(());
    }
    announce("apt-get update, then once more");
    run(command(&apt_get).arg("update"))
        .and_then(|()| install(&apt_get))
        .map_err(|source| AptError::Failed {
            packages: named,
            source,
        })
}

fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"apt-get", &[]));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::inherit());
    command
}

/// `program` as root: as it is, or through sudo; none if neither works.
pub fn as_root(program: &'static str) -> Option<Vec<&'static str>> {
    let printed = |name: &str, argument: &str| {
        let output = Command::new(name)
            .arg(argument)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if printed("id", "-u").as_deref() == Some("0") {
        return Some(vec![program]);
    }
    printed("sudo", "--version").map(|_| vec!["sudo", program])
}
