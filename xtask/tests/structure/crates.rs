//! Which crate may use which. The compiler keeps the boundaries between crates; this table keeps the direction.

use crate::workspace::Package;

/// A package of `host` or `guest`, and the packages that it may use. Dev-dependencies are free.
const TABLE: [(&str, &[&str]); 19] = [
    ("comatrix-contract", &[]),
    ("comatrix-share", &[]),
    ("comatrix-coap", &["comatrix-share"]),
    ("comatrix-outbox", &["comatrix-contract", "comatrix-share"]),
    (
        "comatrix-secure",
        &["comatrix-coap", "comatrix-share", "comatrix-store"],
    ),
    ("comatrix-store", &[]),
    ("comatrix-transport", &["comatrix-coap", "comatrix-share"]),
    // The vectors of a manifest have the format of the SDK. Its build script compiles the default rule.
    (
        "comatrix-runtime",
        &[
            "comatrix-contract",
            "comatrix-share",
            "comatrix-store",
            "comatrix-sdk",
            "xtask",
        ],
    ),
    (
        "comatrix-homeserver",
        &["comatrix-contract", "comatrix-share"],
    ),
    (
        "comatrix-gateway",
        &[
            "comatrix-coap",
            "comatrix-contract",
            "comatrix-homeserver",
            "comatrix-outbox",
            "comatrix-runtime",
            "comatrix-secure",
            "comatrix-share",
            "comatrix-store",
            "comatrix-transport",
        ],
    ),
    (
        "comatrix-device",
        &["comatrix-coap", "comatrix-secure", "comatrix-store"],
    ),
    (
        "comatrix-host",
        &[
            "comatrix-coap",
            "comatrix-contract",
            "comatrix-device",
            "comatrix-gateway",
            "comatrix-homeserver",
            "comatrix-runtime",
            "comatrix-store",
            "comatrix-transport",
            "comatrix-rule-build",
            "comatrix-sdk",
        ],
    ),
    ("comatrix-sdk", &[]),
    ("comatrix-rule-build", &[]),
    ("comatrix-rule", &["comatrix-sdk"]),
    ("command-rule", &["comatrix-sdk"]),
    ("msc3079-rule", &["comatrix-sdk"]),
    ("senml-rule", &["comatrix-sdk"]),
    ("stream-rule", &["comatrix-sdk"]),
];

/// Packages that no package of the gateway may use, and which may use any.
const DEVELOPERS: [&str; 3] = ["comatrix-tests", "plugtest-rule", "xtask"];

/// Uses that the table does not allow, and packages that it does not have.
pub fn faults(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages
        .iter()
        .filter(|one| !DEVELOPERS.contains(&one.name.as_str()))
    {
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == package.name) else {
            faults.push(format!("{} is not in the table of crates", package.name));
            continue;
        };
        let refused = package
            .uses
            .iter()
            .filter(|used| !allowed.contains(&used.as_str()));
        faults.extend(refused.map(|used| format!("{} may not use {used}", package.name)));
    }
    faults
}
