//! `cargo xtask guest --both-toolchains`: builds the rules in Rust with rustup's and with Debian's toolchain, since a
//! rule's author may have either.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::process::Command;

use crate::XtaskError;
use crate::run::announce;
use crate::setup::{Setup, rustup_target};
use xtask::guest;
use xtask::toolchain::{self, Forced};

/// Builds every rule with both toolchains, unless the same compilers have built the same sources before.
pub fn check(workspace: &Path, setup: &mut Setup) -> Result<(), XtaskError> {
    if toolchain::find(Forced::Rustup).is_err() {
        rustup_target();
    }
    let rustup = toolchain::find(Forced::Rustup).ok();
    let debian = setup.debian_toolchain()?;
    let stamp = workspace.join("target/guest-build/built-by-both");
    let mut hasher = DefaultHasher::new();
    for rustc in ["rustc", toolchain::DEBIAN_RUSTC] {
        let output = Command::new(rustc).arg("--version").output();
        output
            .map(|output| output.stdout)
            .unwrap_or_default()
            .hash(&mut hasher);
    }
    for source in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        hash_tree(&workspace.join(source), &mut hasher);
    }
    let digest = format!("{:016x}", hasher.finish());
    if fs::read_to_string(&stamp).is_ok_and(|done| done == digest) {
        announce("both toolchains have built these sources before");
        return Ok(());
    }
    for toolchain in rustup.iter().chain([&debian]) {
        let of_rust = |rule: &&guest::Rule| rule.language != guest::Language::Javascript;
        for rule in guest::RULES.iter().filter(of_rust) {
            announce(&format!(
                "building the rule {} with {}'s toolchain",
                rule.name,
                toolchain.name()
            ));
            let out = workspace
                .join("target/guest-build")
                .join(format!("by-{}", toolchain.name()));
            let file = guest::build_with(toolchain, rule.name, workspace, &out)?;
            announce(&format!(
                "{}: {} bytes",
                file.display(),
                file.metadata().map_or(0, |metadata| metadata.len())
            ));
        }
    }
    if rustup.is_none() {
        announce(
            "NOT TESTED: rustup cannot download the target here, so only Debian's toolchain has built the rules",
        );
        return Ok(());
    }
    // Without the stamp the next run builds them again.
    if let Err(error) = fs::write(&stamp, digest) {
        announce(&format!("cannot write {}: {error}", stamp.display()));
    }
    Ok(())
}

/// Names and contents in a fixed order.
fn hash_tree(path: &Path, hasher: &mut DefaultHasher) {
    path.hash(hasher);
    if let Ok(entries) = fs::read_dir(path) {
        let mut children: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        children.sort();
        for child in children {
            hash_tree(&child, hasher);
        }
    } else if let Ok(bytes) = fs::read(path) {
        bytes.hash(hasher);
    }
}
