//! The example rules as components: every case of theirs, as a gateway runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use comatrix_sdk::vectors::cases;
use runtime::RuleLimits;
use runtime::self_test;

use crate::default_rule::{activate_rule, engine, limits};

/// Runs a rule's cases against `target/guest/<rule>.wasm`; gives their number.
fn pass(rule: &str, folder: &str, limits: RuleLimits) -> usize {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = workspace.join(format!("target/guest/{rule}.wasm"));
    let component = fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guest`", file.display()));
    let revision = activate_rule(&engine(), None, rule, &component, BTreeMap::new(), limits)
        .unwrap_or_else(|error| panic!("{error}"));
    let vectors = cases(&workspace.join(folder)).unwrap_or_else(|error| panic!("{error}"));
    self_test(&revision, &vectors).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_case_of_senml_ends_as_its_files_say() {
    assert!(pass("senml", "guest/examples/senml/vectors", limits()) >= 30);
}

#[test]
fn every_case_of_command_ends_as_its_files_say() {
    assert!(pass("command", "guest/examples/command/vectors", limits()) >= 15);
}

#[test]
fn every_case_of_the_rule_in_javascript_ends_as_its_files_say() {
    let limits = RuleLimits {
        memory: 4 << 20,
        memories: 3,
        ..limits()
    };
    assert!(pass("convert", "guest/examples/javascript/vectors", limits) >= 14);
}
