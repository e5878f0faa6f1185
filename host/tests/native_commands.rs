//! From a component to a .cwasm that a gateway for routers takes, by the commands of its author.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::rule_commands::{fails, folder_with_rule, ok};

#[test]
fn a_rule_goes_from_component_to_signed_native_code_for_each_target() {
    let folder = folder_with_rule("native-commands");
    ok(&folder, &["keygen", "ann"]);
    fs::create_dir(folder.join("keys")).unwrap();
    fs::set_permissions(folder.join("keys"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(folder.join("ann.pub"), folder.join("keys/ann.pub")).unwrap();

    let out = ok(&folder, &["compile", "mine.wasm"]);
    assert!(
        out.contains("mine.wasm has no manifest") && out.contains("rule manifest"),
        "{out}"
    );
    assert!(!folder.join("mine.cwasm.rule.json").exists());
    ok(&folder, &["manifest", "mine.wasm", "--vectors", "vectors"]);

    for (target, name) in [
        ("x86_64-unknown-linux-musl", "x86_64"),
        ("aarch64", "aarch64"),
        ("armv7-unknown-linux-musleabihf", "pulley32"),
    ] {
        let out = ok(&folder, &["compile", "mine.wasm", "--target", target]);
        assert!(
            out.contains(&format!(" bytes for {name}, of ")) && out.contains("rule sign"),
            "{out}"
        );
        let stated = fs::read_to_string(folder.join("mine.cwasm.rule.json")).unwrap();
        assert!(
            stated.contains(&format!("\"target\": \"{name}\"")),
            "{stated}"
        );
        // Also for a machine of another kind than this one.
        ok(
            &folder,
            &["sign", "--key", "ann.key", "mine.cwasm.rule.json"],
        );
        let out = ok(&folder, &["verify", "--keys", "keys", "mine.cwasm"]);
        assert!(
            out.starts_with("ok: mine 1, revision 1, sha256 ") && out.ends_with("by ann\n"),
            "{out}"
        );
    }

    let code = fs::read(folder.join("mine.cwasm")).unwrap();
    fs::write(folder.join("mine.cwasm"), &code[..code.len() - 1]).unwrap();
    for command in [
        &["verify", "--keys", "keys", "mine.cwasm"][..],
        &["sign", "--key", "ann.key", "mine.cwasm.rule.json"],
    ] {
        fails(&folder, command, 1, &["truncated", "copy it again"]);
    }
}

#[test]
fn a_file_that_cannot_become_native_code_is_refused_before_anything_is_written() {
    let folder = folder_with_rule("native-refused");
    for target in ["mipsel-unknown-linux-musl", "riscv64gc"] {
        fails(
            &folder,
            &["compile", "mine.wasm", "--target", target],
            2,
            &["aarch64", "armv7"],
        );
    }
    // The manifest is of another build.
    ok(&folder, &["manifest", "mine.wasm"]);
    let manifest = fs::read_to_string(folder.join("mine.rule.json")).unwrap();
    let sha256 = manifest.split("\"sha256\": \"").nth(1).unwrap();
    let other = manifest.replace(&sha256[..64], &"0".repeat(64));
    fs::write(folder.join("mine.rule.json"), other).unwrap();
    fails(&folder, &["compile", "mine.wasm"], 1, &["SHA-256"]);
    assert!(!folder.join("mine.cwasm").exists());
}
