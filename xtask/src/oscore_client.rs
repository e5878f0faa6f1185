//! libcoap's client with OSCORE, which Debian 13 has and Debian 12 does not: its package and the libraries that it
//! needs, unpacked into a folder beside the system. Nothing of it is installed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{CommandError, announce, run};

/// The release of Debian whose packages are unpacked: the first with a client that has OSCORE (libcoap 4.3.4).
const RELEASE: &str = "trixie";

/// The package with the client.
const PACKAGE: &str = "libcoap3-bin";

/// Its client, and those of a system that has OSCORE already. The variant without TLS never has it.
const CLIENTS: [&str; 3] = ["coap-client-openssl", "coap-client-gnutls", "coap-client"];

/// Debian's keys, which verify its packages. Without the file apt-get takes all that it trusts.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The name of the client in its folder.
pub const CLIENT: &str = "coap-client";

/// A way out for whoever cannot get the packages.
const REMEDY: &str =
    "Or install libcoap 4.3.4 or later, built with OSCORE, so that coap-client is on PATH";

/// Why there is no client with OSCORE.
#[derive(Debug, thiserror::Error)]
pub enum OscoreClientError {
    /// The system is not Debian, or has no package lists.
    #[error(
        "no mirror of Debian is configured here, or `apt-get update` has not run yet: `apt-get indextargets` lists no \
         packages of Debian, and {PACKAGE} of its release {RELEASE} is needed for tests. {REMEDY}"
    )]
    NoMirror,
    /// The packages could not be downloaded or unpacked.
    #[error(
        "{source}; see its messages above. The tests need {PACKAGE} of Debian's release {RELEASE}, from {mirror}; if \
         keys are missing, upgrade the package debian-archive-keyring. {REMEDY}"
    )]
    Packages {
        mirror: String,
        source: CommandError,
    },
    /// The client was unpacked and is of no use.
    #[error(
        "{} does not work, or has no OSCORE, although {PACKAGE} of Debian's release {RELEASE} was unpacked there. \
         {REMEDY}", .0.display()
    )]
    Unfit(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// The programs that do the work.
#[derive(Debug)]
pub struct Programs {
    /// Finds, downloads and verifies packages.
    pub apt_get: PathBuf,
    /// Unpacks them.
    pub dpkg_deb: PathBuf,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            apt_get: "/usr/bin/apt-get".into(),
            dpkg_deb: "/usr/bin/dpkg-deb".into(),
        }
    }
}

/// Makes `folder` hold a client with OSCORE: that of the system if its folders in `path` have one, else that of
/// Debian's next release. Does nothing if it does.
pub fn complete(folder: &Path, path: &OsStr, programs: &Programs) -> Result<(), OscoreClientError> {
    let client = folder.join(CLIENT);
    if has_oscore(&client) {
        return Ok(());
    }
    let folders: Vec<_> = std::env::split_paths(path).collect();
    let mut of_system = CLIENTS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    if let Some(file) = of_system.find(|file| has_oscore(file)) {
        make(folder)?;
        return write_client(&client, &format!("exec '{}' \"$@\"", file.display()));
    }
    unpack(folder, programs)?;
    // The loader and the C library are those of the packages too: the programs need them.
    write_client(
        &client,
        "libraries=$(echo \"${0%/*}\"/system/usr/lib/*-linux-*)\n\
         exec \"$libraries\"/ld-linux* --library-path \"$libraries\" \"${0%/*}/system/usr/bin/coap-client-openssl\" \
         \"$@\"",
    )?;
    match has_oscore(&client) {
        true => Ok(()),
        false => Err(OscoreClientError::Unfit(client)),
    }
}

/// Whether a program is libcoap's client, built with OSCORE: it says so among its options.
fn has_oscore(client: &Path) -> bool {
    let output = Command::new(client).stdin(Stdio::null()).output();
    output.is_ok_and(|output| {
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).contains("(Have OSCORE)")
    })
}

/// Downloads the package and all that it depends on, with lists and records of its own, and unpacks them into the
/// folder `system`. Needs no root.
fn unpack(folder: &Path, programs: &Programs) -> Result<(), OscoreClientError> {
    let mirror = mirror(&programs.apt_get).ok_or(OscoreClientError::NoMirror)?;
    announce(&format!(
        "unpacking {PACKAGE} of Debian's release {RELEASE} into {}, for tests with OSCORE",
        folder.display()
    ));
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|source| failed(folder, source))?;
    }
    let apt = folder.join("apt");
    for part in ["lists/partial", "archives/partial"] {
        make(&apt.join(part))?;
    }
    let options = match Path::new(KEYS).exists() {
        true => format!("[signed-by={KEYS}] "),
        false => String::new(),
    };
    let sources = apt.join("sources.list");
    let source = format!("deb {options}{mirror} {RELEASE} main\n");
    fs::write(&sources, source).map_err(|source| failed(&sources, source))?;
    // Nothing counts as installed, so that all dependencies come along.
    let status = apt.join("status");
    fs::write(&status, "").map_err(|source| failed(&status, source))?;
    let packages = |source| OscoreClientError::Packages {
        mirror: mirror.clone(),
        source,
    };
    for words in [
        &["update"][..],
        &[
            "install",
            "--yes",
            "--download-only",
            "--no-install-recommends",
            PACKAGE,
        ],
    ] {
        run(apt_get(&programs.apt_get, &apt).args(words)).map_err(packages)?;
    }
    let archives = apt.join("archives");
    let entries = fs::read_dir(&archives).map_err(|source| failed(&archives, source))?;
    for file in entries.flatten().map(|entry| entry.path()) {
        if file.extension().is_some_and(|extension| extension == "deb") {
            let system = folder.join("system");
            run(Command::new(&programs.dpkg_deb)
                .arg("-x")
                .args([&file, &system]))
            .map_err(packages)?;
        }
    }
    fs::remove_dir_all(&apt).map_err(|source| failed(&apt, source))
}

/// The mirror from which this system gets its own release, with a slash at its end.
fn mirror(apt_get: &Path) -> Option<String> {
    let output = Command::new(apt_get)
        .args(["indextargets", "--format", "$(SUITE) $(REPO_URI)"])
        .args(["Created-By: Packages", "Origin: Debian"])
        .output()
        .ok()?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    // Updates and security updates are suites with a dash; they can be at a mirror of their own.
    let mut lines = listed.lines().filter_map(|line| line.split_once(' '));
    lines
        .find(|(suite, _)| !suite.contains('-'))
        .map(|(_, mirror)| mirror.to_owned())
}

/// apt-get with this folder in place of the system's lists, records and downloads.
fn apt_get(program: &Path, apt: &Path) -> Command {
    let mut command = Command::new(program);
    let settings = [
        ("Dir::Etc::SourceList", "sources.list"),
        ("Dir::Etc::SourceParts", "/dev/null"),
        ("Dir::Etc::Preferences", "/dev/null"),
        ("Dir::Etc::PreferencesParts", "/dev/null"),
        ("Dir::State", ""),
        ("Dir::State::Lists", "lists"),
        ("Dir::State::Status", "status"),
        ("Dir::Cache", ""),
        ("Dir::Cache::Archives", "archives"),
    ];
    for (name, file) in settings {
        let value = format!("{name}={}", apt.join(file).display());
        command.args(["-o", &value]);
    }
    command.args(["-o", "Acquire::Retries=3"]);
    // The user for downloads cannot enter the folders of all users. Descriptions are not read.
    command.args(["-o", "APT::Sandbox::User=root"]);
    command.args(["-o", "Acquire::Languages=none", "-q"]);
    command
}

fn write_client(client: &Path, line: &str) -> Result<(), OscoreClientError> {
    fs::write(client, format!("#!/bin/sh\n{line}\n"))
        .and_then(|()| fs::set_permissions(client, fs::Permissions::from_mode(0o755)))
        .map_err(|source| failed(client, source))
}

fn make(folder: &Path) -> Result<(), OscoreClientError> {
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))
}

fn failed(path: &Path, source: io::Error) -> OscoreClientError {
    OscoreClientError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "oscore_client_tests.rs"]
mod tests;
