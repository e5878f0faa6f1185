//! The versions that programs print.

use super::*;
use comatrix_rule_build::version::Version;

/// The outputs of the programs of Debian 12, and of other distributors that print it differently.
const OUTPUTS: [(&Tool, &str, &str); 20] = [
    (&PYTHON, "Python 3.11.2\n", "3.11.2"),
    (&NODE, "v18.20.4\n", "18.20.4"),
    (&NPM, "9.2.0\n", "9.2.0"),
    (
        &COAP_CLIENT,
        "coap-client-notls v4.3.1 -- a small CoAP implementation\nCopyright (C) 2010-2022 Olaf Bergmann\n",
        "4.3.1",
    ),
    (
        &COAP_CLIENT,
        "coap-client v4.3.5rc1 -- a small CoAP implementation\n",
        "4.3.5",
    ),
    (
        &CURL,
        "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.19 zlib/1.2.13\nRelease-Date: 2023-02-20\n",
        "7.88.1",
    ),
    (
        &FAKETIME,
        "\nfaketime: Version 0.9.10\nFor usage information please use 'faketime --help'.\n",
        "0.9.10",
    ),
    (&IP, "ip utility, iproute2-6.1.0, libbpf 1.1.2\n", "6.1.0"),
    (&UNSHARE, "unshare from util-linux 2.38.1\n", "2.38.1"),
    (
        &SHELLCHECK,
        "ShellCheck - shell script analysis tool\nversion: 0.9.0\nlicense: GNU 3\n",
        "0.9.0",
    ),
    (
        &SYSTEMD_ANALYZE,
        "systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT\n",
        "252",
    ),
    (
        &SYSTEMD_SOCKET_ACTIVATE,
        "systemd 257 (257.9-1~deb13u1)\n",
        "257",
    ),
    (
        &CHROMIUM,
        "Chromium 148.0.7778.167 built on Debian GNU/Linux 12 (bookworm)\n",
        "148.0.7778.167",
    ),
    (&CHROMIUM, "Chromium 129.0.6668.58 snap\n", "129.0.6668.58"),
    (
        &CHROMEDRIVER,
        "ChromeDriver 148.0.7778.167 (65db666ac2cf-refs/branch-heads/7778@{#2783})\n",
        "148.0.7778.167",
    ),
    (
        &DPKG_SHLIBDEPS,
        "Debian dpkg-shlibdeps version 1.21.22.\n\nThis is free software\n",
        "1.21.22",
    ),
    (
        &DEBOOTSTRAP,
        "debootstrap 1.0.128+nmu2+deb12u2\n",
        "1.0.128",
    ),
    (
        &QEMU_X86_64,
        "qemu-x86_64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n",
        "7.2.22",
    ),
    (
        &QEMU_AARCH64,
        "qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n",
        "7.2.22",
    ),
    (
        &QEMU_ARM,
        "qemu-arm version 10.0.2\nCopyright (c) 2003-2025 Fabrice Bellard\n",
        "10.0.2",
    ),
];

#[test]
fn the_version_is_read_from_the_output_of_each_tool_and_is_enough() {
    for (tool, output, expected) in OUTPUTS {
        let version = Version::after(tool.version_prefix, output).expect(output);
        assert_eq!(version.to_string(), expected, "{output}");
        assert!(
            !version.is_older_than(&Version::new(tool.minimum)),
            "{output}"
        );
    }
}

#[test]
fn the_output_of_every_tool_is_among_the_examples() {
    for tool in EVERYWHERE
        .into_iter()
        .chain([&NPM, &DPKG_SHLIBDEPS, &DEBOOTSTRAP, &QEMU_ARM])
    {
        assert!(
            OUTPUTS
                .iter()
                .any(|(example, _, _)| example.programs == tool.programs),
            "{tool:?}"
        );
    }
}

#[test]
fn an_iproute2_that_is_numbered_by_date_is_not_taken_for_a_later_version() {
    assert_eq!(
        Version::after(IP.version_prefix, "ip utility, iproute2-ss190107\n"),
        None
    );
}
