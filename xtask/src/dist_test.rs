//! `cargo xtask dist --test`: the Debian package in a Debian of its own, from the installation to the purge.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::apt::as_root;
use crate::run::{CommandError, announce, run};
use crate::setup::{self, SetupError};

/// What is done with the package, in this order: what must hold, and the shell's lines for it, as root in the Debian.
///
/// No systemd runs there; scripts note what it would be told. What the gateway tells it, and how it takes its socket, is shown by
/// the gateway's own tests.
const STEPS: [(&str, &str); 11] = [
    (
        "a systemd that runs is noticed, and what it is told is noted",
        r#"mkdir -p /run/systemd/system
        echo '#!/bin/sh
        case "$*" in
            *is-active*) test -e /active ;;
            *is-enabled*) echo enabled ;;
            *start* | *stop*) echo "$*" >> /told ;;
        esac' > /usr/local/bin/systemctl
        chmod 755 /usr/local/bin/systemctl"#,
    ),
    (
        "it installs, with what it depends on",
        "apt-get update -qq; export DEBIAN_FRONTEND=noninteractive
        apt-get -o DPkg::Path=$PATH install -qq -y --no-install-recommends /older.deb
        dpkg -s comatrix-gateway | grep -q '^Status: install ok installed'",
    ),
    (
        "the configuration is the operator's, and tokens are handed over from a folder beside it",
        "dpkg-query -W -f '${Conffiles}' comatrix-gateway | grep -q /etc/comatrix/gateway.toml
        test -f /etc/comatrix/secrets/README",
    ),
    (
        "service and socket start with the machine, and now, the socket first",
        "printf -- '--quiet --system %s\\n' 'start comatrix-gateway.socket' 'restart comatrix-gateway.service' > /expected
        diff /expected /told; rm /told
        test -L /etc/systemd/system/multi-user.target.wants/comatrix-gateway.service
        test -L /etc/systemd/system/sockets.target.wants/comatrix-gateway.socket",
    ),
    (
        "the manual and the completions are there",
        "dpkg -L comatrix-gateway | grep -q '/man1/comatrix-gateway.1.gz$'
        dpkg -L comatrix-gateway | grep -q '/man1/comatrix-gateway-device-send.1.gz$'
        dpkg -L comatrix-gateway | grep -q /bash-completion/
        dpkg -L comatrix-gateway | grep -q /zsh/
        dpkg -L comatrix-gateway | grep -q /fish/",
    ),
    (
        "what is installed listens, and ends when it is told to",
        "mkdir -p /run/comatrix /var/cache/private/comatrix; chmod 700 /var/cache/private/comatrix
        export RUNTIME_DIRECTORY=/run/comatrix CACHE_DIRECTORY=/var/cache/private/comatrix
        comatrix-gateway --config /etc/comatrix/gateway.toml --ip 127.0.0.1 --port 0 > /said & gateway=$!
        for second in $(seq 60); do grep -q 'listening on coap://127.0.0.1:' /said && break; sleep 1; done
        grep 'listening on coap://127.0.0.1:' /said
        comatrix-gateway rules list | grep -q '^comatrix at /'
        kill $gateway; wait $gateway",
    ),
    (
        "an upgrade keeps what the operator has changed",
        "echo '# mine' >> /etc/comatrix/gateway.toml; touch /active
        dpkg --install /newer.deb
        dpkg-query -W -f '${Version}' comatrix-gateway | grep -q '^999-1$'
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "an upgrade leaves the socket alone, so that nothing that comes meanwhile is lost",
        "echo '--quiet --system restart comatrix-gateway.service' > /expected
        diff /expected /told; rm /told",
    ),
    (
        "a removal leaves the configuration",
        "dpkg --remove comatrix-gateway
        grep -q '^stop comatrix-gateway.socket comatrix-gateway.service$' /told; rm /told /active
        test ! -e /usr/bin/comatrix-gateway; test ! -e /usr/lib/systemd/system/comatrix-gateway.service
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "what comes back after a removal starts as at first, and has the configuration that was left",
        "dpkg --install /newer.deb
        printf -- '--quiet --system %s\\n' 'start comatrix-gateway.socket' 'restart comatrix-gateway.service' > /expected
        diff /expected /told
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "a purge leaves nothing, tokens least of all",
        "echo secret > /etc/comatrix/secrets/token
        dpkg --purge comatrix-gateway
        test ! -e /etc/comatrix; test ! -e /var/cache/private/comatrix
        test ! -e /etc/systemd/system/multi-user.target.wants/comatrix-gateway.service
        test ! -e /etc/systemd/system/sockets.target.wants/comatrix-gateway.socket",
    ),
];

/// Why the package is no good, or could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// debootstrap cannot be installed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is no way to be root.
    #[error("installing a package needs root, and there is no sudo here: run this as root")]
    NotRoot,
    /// This is no Debian.
    #[error(
        "/etc/os-release has no VERSION_CODENAME: the package is tried on the Debian or Ubuntu that it was built on"
    )]
    NoCodename,
    /// The Debian was not made.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It does not do what it should.
    #[error(
        "the package fails at \"{step}\"; what was said stands above, and target/dist/debian is as it was then: {source}"
    )]
    Step {
        step: &'static str,
        source: CommandError,
    },
}

/// Tries `package`, and its upgrade to `newer`, in a Debian below `folder`.
pub fn test(folder: &Path, package: &Path, newer: &Path) -> Result<(), TestError> {
    setup::install_unless_present("debootstrap", "debootstrap")?;
    let root = as_root("env").ok_or(TestError::NotRoot)?;
    let debian = folder.join("debian");
    let pristine = folder.join("debian-pristine");
    if !pristine.join("complete").is_file() {
        announce("making a Debian with debootstrap (some minutes)");
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = release
            .lines()
            .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
            .ok_or(TestError::NoCodename)?;
        run(as_it(&root, ["rm", "-rf"]).arg(&pristine))?;
        run(as_it(&root, ["debootstrap", "--variant=minbase", codename]).arg(&pristine))?;
        // Written last: an interrupted one counts as none.
        run(as_it(&root, ["touch"]).arg(pristine.join("complete")))?;
    }
    run(as_it(&root, ["rm", "-rf"]).arg(&debian))?;
    run(as_it(&root, ["cp", "-a"]).args([&pristine, &debian]))?;
    for (from, name) in [(package, "older.deb"), (newer, "newer.deb")] {
        run(as_it(&root, ["cp"]).arg(from).arg(debian.join(name)))?;
    }
    for (step, script) in STEPS {
        announce(step);
        // Debian's own, which begins with the folder of the stand-in for systemctl.
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let script = format!("set -eu; export PATH={path}; {script}");
        run(as_it(&root, ["chroot"])
            .arg(&debian)
            .args(["sh", "-c", &script])
            .stdin(Stdio::null()))
        .map_err(|source| TestError::Step { step, source })?;
    }
    Ok(())
}

/// These words as a command of root's; `env` passes them on.
fn as_it<const N: usize>(root: &[&str], words: [&str; N]) -> Command {
    let mut words = root.iter().copied().chain(words).map(OsStr::new);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}
