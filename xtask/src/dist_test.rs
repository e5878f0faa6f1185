//! `cargo xtask dist --test`: the Debian package in a Debian of its own, from installation to purge.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::apt::{as_root, root};
use crate::run::{CommandError, announce, run};
use crate::setup::{Setup, SetupError};
use crate::tools::DEBOOTSTRAP;

/// The steps, in this order: the statement that must hold, and the lines for root's shell in the Debian that show it.
///
/// No systemd runs there: a script in its place records the calls of systemctl. The gateway's own tests show its
/// messages to systemd and how it takes its socket.
const STEPS: [(&str, &str); 11] = [
    (
        "a running systemd is detected, and calls of systemctl are recorded",
        r#"mkdir -p /run/systemd/system
        echo '#!/bin/sh
        case "$*" in
            *is-active*) test -e /active ;;
            *is-enabled*) echo enabled ;;
            *start* | *stop*) echo "$*" >> /calls ;;
        esac' > /usr/local/bin/systemctl
        chmod 755 /usr/local/bin/systemctl"#,
    ),
    (
        "it installs, with its dependencies",
        "apt-get update -qq; export DEBIAN_FRONTEND=noninteractive
        apt-get -o DPkg::Path=$PATH install -qq -y --no-install-recommends /older.deb
        dpkg -s comatrix-gateway | grep -q '^Status: install ok installed'",
    ),
    (
        "the configuration is the operator's, and a folder beside it is for tokens",
        "dpkg-query -W -f '${Conffiles}' comatrix-gateway | grep -q /etc/comatrix/gateway.toml
        test -f /etc/comatrix/secrets/README",
    ),
    (
        "service and socket start with the machine, and now, the socket first",
        "printf -- '--quiet --system %s comatrix-gateway.%s\\n' start socket restart service > /expected
        diff /expected /calls; rm /calls
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
        "the installed gateway listens, and ends on SIGTERM",
        "mkdir -p /run/comatrix /var/cache/private/comatrix; chmod 700 /var/cache/private/comatrix
        export RUNTIME_DIRECTORY=/run/comatrix CACHE_DIRECTORY=/var/cache/private/comatrix
        comatrix-gateway --config /etc/comatrix/gateway.toml --ip 127.0.0.1 --port 0 > /log & gateway=$!
        for second in $(seq 60); do grep -q 'listening on coap://127.0.0.1:' /log && break; sleep 1; done
        grep 'listening on coap://127.0.0.1:' /log
        comatrix-gateway rules list | grep -q '^comatrix at /'
        kill $gateway; wait $gateway",
    ),
    (
        "an upgrade keeps the operator's changes",
        "echo '# mine' >> /etc/comatrix/gateway.toml; touch /active
        dpkg --install /newer.deb
        dpkg-query -W -f '${Version}' comatrix-gateway | grep -q '^999-1$'
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "an upgrade leaves the socket alone, so that no datagram is lost meanwhile",
        "echo '--quiet --system restart comatrix-gateway.service' > /expected
        diff /expected /calls; rm /calls",
    ),
    (
        "a removal leaves the configuration",
        "dpkg --remove comatrix-gateway
        grep -q '^stop comatrix-gateway.socket comatrix-gateway.service$' /calls; rm /calls /active
        test ! -e /usr/bin/comatrix-gateway; test ! -e /usr/lib/systemd/system/comatrix-gateway.service
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "an installation after a removal starts service and socket, and finds the configuration",
        "dpkg --install /newer.deb
        printf -- '--quiet --system %s comatrix-gateway.%s\\n' start socket restart service > /expected
        diff /expected /calls
        tail -n 1 /etc/comatrix/gateway.toml | grep -q '^# mine$'",
    ),
    (
        "a purge removes everything, tokens included",
        "echo secret > /etc/comatrix/secrets/token
        dpkg --purge comatrix-gateway
        test ! -e /etc/comatrix; test ! -e /var/cache/private/comatrix
        test ! -e /etc/systemd/system/multi-user.target.wants/comatrix-gateway.service
        test ! -e /etc/systemd/system/sockets.target.wants/comatrix-gateway.socket",
    ),
];

/// Why the package fails, or could not be tested.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// debootstrap is missing or too old.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is no way to be root.
    #[error("installing a package needs root, and this system has no sudo: run this as root")]
    NotRoot,
    /// This is no Debian.
    #[error(
        "/etc/os-release has no VERSION_CODENAME: run this on Debian or Ubuntu; the package is tested on the \
         release that built it"
    )]
    NoCodename,
    /// The Debian was not made.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A step failed.
    #[error(
        "the package fails the test \"{step}\": {source}. See the messages above; target/dist/debian is left as it \
         was then"
    )]
    Step {
        step: &'static str,
        source: CommandError,
    },
}

/// Tests `package`, and its upgrade to `newer`, in a Debian below `folder`.
pub fn test(
    folder: &Path,
    package: &Path,
    newer: &Path,
    setup: &mut Setup,
) -> Result<(), TestError> {
    setup.tools(&[&DEBOOTSTRAP])?;
    let root = root().ok_or(TestError::NotRoot)?;
    let debian = folder.join("debian");
    let pristine = folder.join("debian-pristine");
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .ok_or(TestError::NoCodename)?;
    // Made last, so an interrupted debootstrap counts as none; with the name, so another release does too.
    let complete = pristine.join(format!("complete-{codename}"));
    if !complete.is_file() {
        announce("making a Debian with debootstrap (some minutes)");
        run(command(root, ["rm", "-rf"]).arg(&pristine))?;
        run(command(root, ["debootstrap", "--variant=minbase", codename]).arg(&pristine))?;
        run(command(root, ["touch"]).arg(&complete))?;
    }
    run(command(root, ["rm", "-rf"]).arg(&debian))?;
    run(command(root, ["cp", "-a"]).args([&pristine, &debian]))?;
    for (from, name) in [(package, "older.deb"), (newer, "newer.deb")] {
        run(command(root, ["cp"]).arg(from).arg(debian.join(name)))?;
    }
    for (step, script) in STEPS {
        announce(step);
        // Debian's own, which begins with the folder of the script in the place of systemctl.
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let script = format!("set -eu; export PATH={path}; {script}");
        run(command(root, ["chroot"])
            .arg(&debian)
            .args(["sh", "-c", &script])
            .stdin(Stdio::null()))
        .map_err(|source| TestError::Step { step, source })?;
    }
    Ok(())
}

/// These words as a command of root's.
fn command<const N: usize>(root: &[&str], words: [&str; N]) -> Command {
    as_root(root.iter().copied().chain(words))
}
