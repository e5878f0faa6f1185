//! Tests that rules build with either toolchain: which one a machine has, nobody knows beforehand.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;

use crate::XtaskError;
use crate::run::announce;
use crate::setup;
use xtask::guest;
use xtask::toolchain::{self, Forced};

/// Builds every rule with rustup's and with Debian's toolchain, unless that was done for the same sources.
pub fn check(workspace: &Path) -> Result<(), XtaskError> {
    let stamp = workspace.join("target/guest-build/built-by-both");
    let mut hasher = DefaultHasher::new();
    for source in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        hash_tree(&workspace.join(source), &mut hasher);
    }
    let digest = format!("{:016x}", hasher.finish());
    if fs::read_to_string(&stamp).is_ok_and(|done| done == digest) {
        announce("the rules were built by both toolchains before, from the same sources");
        return Ok(());
    }
    if toolchain::find(Forced::Rustup).is_err() {
        setup::rustup_target();
    }
    if toolchain::find(Forced::Debian).is_err() {
        setup::debian_toolchain()?;
    }
    let rustup = toolchain::find(Forced::Rustup).ok();
    let debian = toolchain::find(Forced::Debian).map_err(setup::SetupError::from)?;
    for toolchain in rustup.iter().chain([&debian]) {
        let of_rust = |rule: &&guest::Rule| rule.language != guest::Language::Javascript;
        for rule in guest::RULES.iter().filter(of_rust) {
            announce(&format!(
                "building the rule {} with the toolchain of {}",
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
            "NOT TESTED: rustup cannot fetch its target here, so only Debian's toolchain has built the rules",
        );
        return Ok(());
    }
    // Without the stamp the check is only repeated next time.
    if let Err(error) = fs::write(&stamp, digest) {
        announce(&format!(
            "cannot remember that in {}: {error}",
            stamp.display()
        ));
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
