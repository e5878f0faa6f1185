//! A new rule, from an empty folder to a component, as its author would make it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn succeeded(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}: {}", shown(&stderr));
    shown(&stdout)
}

/// Cargo's variables are about this test, not about the rule that it builds.
fn without_cargo(command: &mut Command) -> &mut Command {
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("CARGO_")) {
        let text = name.to_string_lossy();
        if !["CARGO_HOME", "CARGO_NET_", "CARGO_REGISTR"]
            .iter()
            .any(|kept| text.starts_with(kept))
        {
            command.env_remove(&name);
        }
    }
    command
}

#[test]
fn a_new_rule_passes_its_test_and_becomes_a_component() {
    let gateway = || Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The same place each time, so that dependencies are compiled once.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rule-new");
    let (rule, kept) = (folder.join("meadow"), folder.join("target"));
    if rule.join("target").is_dir() {
        fs::rename(rule.join("target"), &kept).unwrap();
    }
    if rule.is_dir() {
        fs::remove_dir_all(&rule).unwrap();
    }
    succeeded(
        gateway()
            .args(["rule", "new", "meadow", "--dir"])
            .arg(&folder),
    );
    if kept.is_dir() {
        fs::rename(&kept, rule.join("target")).unwrap();
    }
    let tests = succeeded(without_cargo(
        Command::new(cargo).current_dir(&rule).arg("test"),
    ));
    assert!(
        tests.contains("every_case_ends_as_its_files_say ... ok"),
        "{tests}"
    );
    let built = succeeded(without_cargo(
        gateway().args(["rule", "build"]).current_dir(&rule),
    ));
    assert!(built.starts_with("meadow.wasm: "), "{built}");
    let size = fs::metadata(rule.join("meadow.wasm")).unwrap().len();
    assert!((50_000..200_000).contains(&size), "{size} bytes");
}
