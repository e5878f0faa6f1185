//! The tools that set-up finds or installs, with the oldest version of each that works.

use crate::tool::Tool;

/// The reason for a minimum that no documentation states.
const OLDEST_TRIED: &str = "it is the oldest version that the tests have passed with";

/// Runs Synapse, aiocoap and the tests' own clients.
pub const PYTHON: Tool = Tool {
    programs: &["python3"],
    version_arguments: &["--version"],
    version_prefix: "Python ",
    minimum: &[3, 10],
    reason: "the versions of Synapse and aiocoap in tests/requirements.txt require it",
    package: "python3",
};

/// Builds rules in JavaScript.
pub const NODE: Tool = Tool {
    programs: &["node"],
    version_arguments: &["--version"],
    version_prefix: "v",
    minimum: &[18],
    reason: "guest/examples/javascript/package.json requires it",
    package: "nodejs",
};

/// Installs the compiler of rules in JavaScript. Some packages of Node.js contain npm.
pub const NPM: Tool = Tool {
    programs: &["npm"],
    version_arguments: &["--version"],
    version_prefix: "",
    minimum: &[7],
    reason: "guest/examples/javascript/package-lock.json has the format of npm 7",
    package: "npm",
};

/// A CoAP client, in the variants that Debian builds; their package has all of them.
pub const COAP_CLIENT: Tool = Tool {
    programs: &[
        "coap-client-notls",
        "coap-client-openssl",
        "coap-client-gnutls",
        "coap-client",
    ],
    // Without arguments it prints its version and its options.
    version_arguments: &[],
    version_prefix: " v",
    minimum: &[4, 3],
    reason: "the tests read the log lines of libcoap 4.3",
    package: "libcoap3-bin",
};

/// Makes the requests of a device without the gateway, and counts their bytes.
pub const CURL: Tool = Tool {
    programs: &["curl"],
    version_arguments: &["--version"],
    version_prefix: "curl ",
    minimum: &[7, 88],
    reason: OLDEST_TRIED,
    package: "curl",
};

/// Gives a process another clock.
pub const FAKETIME: Tool = Tool {
    programs: &["faketime"],
    version_arguments: &["--version"],
    version_prefix: "Version ",
    minimum: &[0, 9, 10],
    reason: OLDEST_TRIED,
    package: "faketime",
};

/// Makes the interfaces of a test's own network.
pub const IP: Tool = Tool {
    programs: &["ip"],
    version_arguments: &["-V"],
    version_prefix: "iproute2-",
    minimum: &[5],
    reason: "earlier versions are numbered by date and cannot be compared",
    package: "iproute2",
};

/// Makes a test's own network and file systems.
pub const UNSHARE: Tool = Tool {
    programs: &["unshare"],
    version_arguments: &["--version"],
    version_prefix: "util-linux ",
    minimum: &[2, 26],
    reason: "with earlier versions `--map-root-user` fails for ordinary users on Linux 3.19 and later",
    package: "util-linux",
};

/// Checks the shell scripts.
pub const SHELLCHECK: Tool = Tool {
    programs: &["shellcheck"],
    version_arguments: &["--version"],
    version_prefix: "version: ",
    minimum: &[0, 9],
    reason: OLDEST_TRIED,
    package: "shellcheck",
};

/// Checks the units.
pub const SYSTEMD_ANALYZE: Tool = Tool {
    programs: &["systemd-analyze"],
    version_arguments: &["--version"],
    version_prefix: "systemd ",
    minimum: &[250],
    reason: "earlier versions do not have `security --offline` and `--threshold`",
    package: "systemd",
};

/// Hands a socket to the gateway as systemd does.
pub const SYSTEMD_SOCKET_ACTIVATE: Tool = Tool {
    programs: &["systemd-socket-activate"],
    ..SYSTEMD_ANALYZE
};

/// Shows the status page.
pub const CHROMIUM: Tool = Tool {
    programs: &["chromium"],
    version_arguments: &["--version"],
    version_prefix: "Chromium ",
    minimum: &[103],
    reason: "the script of the status page uses `AbortSignal.timeout`",
    package: "chromium",
};

/// Drives Chromium.
pub const CHROMEDRIVER: Tool = Tool {
    programs: &["chromedriver"],
    version_prefix: "ChromeDriver ",
    package: "chromium-driver",
    ..CHROMIUM
};

/// The tools that every command needs, except npm, which some packages of Node.js contain: it is checked after Node.js.
pub const EVERYWHERE: [&Tool; 12] = [
    &PYTHON,
    &NODE,
    &COAP_CLIENT,
    &CURL,
    &FAKETIME,
    &IP,
    &UNSHARE,
    &SHELLCHECK,
    &SYSTEMD_ANALYZE,
    &SYSTEMD_SOCKET_ACTIVATE,
    &CHROMIUM,
    &CHROMEDRIVER,
];

/// Finds the libraries that a Debian package depends on.
pub const DPKG_SHLIBDEPS: Tool = Tool {
    programs: &["dpkg-shlibdeps"],
    version_arguments: &["--version"],
    version_prefix: "version ",
    minimum: &[1, 21],
    reason: OLDEST_TRIED,
    package: "dpkg-dev",
};

/// Makes a Debian in a folder.
pub const DEBOOTSTRAP: Tool = Tool {
    programs: &["debootstrap"],
    version_arguments: &["--version"],
    version_prefix: "debootstrap ",
    minimum: &[1, 0, 128],
    reason: OLDEST_TRIED,
    package: "debootstrap",
};

/// Runs programs for an x86-64 processor on another one.
pub const QEMU_X86_64: Tool = Tool {
    programs: &["qemu-x86_64-static"],
    version_arguments: &["--version"],
    version_prefix: " version ",
    minimum: &[7, 2],
    reason: OLDEST_TRIED,
    package: "qemu-user-static",
};

/// Runs programs for a 64-bit ARM processor on another one.
pub const QEMU_AARCH64: Tool = Tool {
    programs: &["qemu-aarch64-static"],
    ..QEMU_X86_64
};

/// Runs programs for a 32-bit ARM processor on another one.
pub const QEMU_ARM: Tool = Tool {
    programs: &["qemu-arm-static"],
    ..QEMU_X86_64
};

#[cfg(test)]
mod tests;
