//! `comatrix-gateway rule …` as its users see it: the binary, its output and exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use coap::{code, option};
use contract::{CoapOption, Effect, Failure, HttpRequest, Message, Reply, Step};

use crate::http_call;
use crate::rule_text::RuleText;
use crate::scratch;

/// Exit code, standard output, standard error.
fn rule(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_comatrix-gateway"))
        .arg("rule")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{error}"));
    let code = output.status.code().unwrap_or(-1);
    (code, text(output.stdout), text(output.stderr))
}

pub fn ok(folder: &Path, args: &[&str]) -> String {
    let (code, out, errors) = rule(folder, args);
    assert_eq!((code, errors.as_str()), (0, ""), "{args:?}: {out}");
    out
}

/// Ends with this exit code, and says each of these words.
pub fn fails(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let (found, out, errors) = rule(folder, args);
    assert_eq!(found, code, "{args:?}: {out}{errors}");
    for word in words {
        assert!(
            out.contains(word) || errors.contains(word),
            "{args:?}: {word}: {out}{errors}"
        );
    }
}

/// A rule that asks `GET /needed`, and returns this reply.
fn asking(reply: Result<Effect, Failure>) -> Vec<u8> {
    let request = HttpRequest {
        path: vec!["needed".into()],
        ..http_call::request()
    };
    let state = vec![0; 3];
    let mut rule = RuleText::new();
    rule.begin = rule.value(&Ok(Effect::Call(Step { request, state }))).1;
    rule.resume = rule.value(&reply).1;
    rule.component()
}

fn reply(payload: &str) -> Result<Effect, Failure> {
    Ok(Effect::Reply(Reply {
        message: Message {
            code: code::CONTENT,
            options: vec![CoapOption {
                number: option::CONTENT_FORMAT,
                value: vec![50],
            }],
            payload: payload.into(),
        },
        session: None,
        watch: None,
    }))
}

/// `mine.wasm` and a vector for it.
pub fn folder_with_rule(test: &str) -> PathBuf {
    let folder = scratch::folder(test);
    fs::write(folder.join("mine.wasm"), asking(reply("{\"a\":1}"))).unwrap();
    let vector = folder.join("vectors/it_asks_and_replies");
    fs::create_dir_all(&vector).unwrap();
    let call = r#"[{
        "request": {"upstream": "standard", "credential": "none", "method": "GET", "path": ["needed"]},
        "answer": {"status": 200}
    }]"#;
    fs::write(
        vector.join("request.json"),
        r#"{"method": "GET", "path": ["test"]}"#,
    )
    .unwrap();
    fs::write(vector.join("calls.json"), call).unwrap();
    fs::write(
        vector.join("reply.json"),
        r#"{"code": "2.05", "content_format": 50, "payload_text": "{\"a\":1}"}"#,
    )
    .unwrap();
    folder
}

#[test]
fn a_rule_goes_from_key_to_verified_signature_and_no_further_once_altered() {
    let folder = folder_with_rule("commands-sign");
    let out = ok(&folder, &["keygen", "ann"]);
    assert!(out.contains("ann.key") && !out.contains("PRIVATE"), "{out}");
    let mode = |name: &str| {
        fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("ann.key"), mode("ann.pub") & 0o022), (0o600, 0));
    let key = fs::read(folder.join("ann.key")).unwrap();
    fails(&folder, &["keygen", "ann"], 2, &["ann.key exists already"]);
    assert_eq!(fs::read(folder.join("ann.key")).unwrap(), key);
    fs::write(folder.join("bob.pub"), "").unwrap();
    fails(&folder, &["keygen", "bob"], 2, &["bob.pub exists already"]);
    assert!(!folder.join("bob.key").exists());

    let out = ok(
        &folder,
        &[
            "manifest",
            "mine.wasm",
            "--version",
            "1.2",
            "--revision",
            "3",
            "--vectors",
            "vectors",
        ],
    );
    assert!(
        out.contains("mine 1.2, revision 3, 1 needs, 1 vectors"),
        "{out}"
    );
    ok(&folder, &["sign", "--key", "ann.key", "mine.rule.json"]);
    fs::create_dir(folder.join("keys")).unwrap();
    fs::set_permissions(folder.join("keys"), fs::Permissions::from_mode(0o700)).unwrap();
    fails(
        &folder,
        &["verify", "--keys", "keys", "mine.wasm"],
        2,
        &["rule keygen"],
    );
    fs::copy(folder.join("ann.pub"), folder.join("keys/ann.pub")).unwrap();
    let out = ok(&folder, &["verify", "--keys", "keys", "mine.wasm"]);
    assert!(
        out.starts_with("ok: mine 1.2, revision 3, sha256 ") && out.ends_with("signed by ann\n"),
        "{out}"
    );

    let out = ok(&folder, &["manifest", "mine.wasm"]);
    assert!(out.contains("sign again"), "{out}");
    fails(
        &folder,
        &["verify", "--keys", "keys", "mine.wasm"],
        1,
        &["folder of keys"],
    );
    ok(&folder, &["sign", "--key", "ann.key", "mine.rule.json"]);
    fs::write(folder.join("mine.wasm"), asking(reply("{}"))).unwrap();
    fails(
        &folder,
        &["verify", "--keys", "keys", "mine.wasm"],
        1,
        &["SHA-256"],
    );
    fails(
        &folder,
        &["sign", "--key", "ann.key", "mine.rule.json"],
        1,
        &["SHA-256", "rule manifest"],
    );

    fs::set_permissions(folder.join("ann.key"), fs::Permissions::from_mode(0o640)).unwrap();
    fails(
        &folder,
        &["sign", "--key", "ann.key", "mine.rule.json"],
        2,
        &["chmod 600"],
    );
    fails(
        &folder,
        &["sign", "--key", "ann.pub", "mine.rule.json"],
        2,
        &["ann.pub"],
    );
}

#[test]
fn a_check_prints_the_rules_resources_and_needs_or_the_reason_of_a_failure() {
    let folder = folder_with_rule("commands-check");
    let out = ok(&folder, &["check", "mine.wasm", "--vectors", "vectors"]);
    for line in [
        "ok    component: fits the contract 0.2.0",
        "ok    memory: 1 of at most 1; initially 131,072 bytes",
        "ok    links: 1",
        "GET  /test",
        "ok    needs: 1, which [[rule]] must grant:",
        "\"GET none standard /needed\",",
        "create it with `comatrix-gateway rule manifest`",
        "ok    folder's vectors: 1 passed",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    ok(&folder, &["manifest", "mine.wasm", "--vectors", "vectors"]);
    let out = ok(&folder, &["check", "mine.wasm"]);
    assert!(
        out.contains("ok    manifest: version 1, revision 1")
            && out.contains("manifest's vectors: 1 passed"),
        "{out}"
    );

    fs::write(folder.join("mine.wasm"), asking(reply("{}"))).unwrap();
    fails(
        &folder,
        &["check", "mine.wasm", "--vectors", "vectors"],
        1,
        &[
            "FAIL  manifest:",
            "FAIL  folder's vectors: vector \"it_asks_and_replies\"",
            "2 of 6 checks failed",
        ],
    );
    fails(
        &folder,
        &["manifest", "mine.wasm", "--vectors", "vectors"],
        1,
        &["it_asks_and_replies"],
    );
}

#[test]
fn a_file_that_is_not_a_rule_ends_with_1_and_a_missing_file_with_2() {
    let folder = folder_with_rule("commands-unfit");
    let text =
        |component: &str| wat::parse_str(component).unwrap_or_else(|error| panic!("{error}"));
    fs::write(folder.join("core.wasm"), text("(module)")).unwrap();
    fs::write(
        folder.join("wasi.wasm"),
        text(r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#),
    )
    .unwrap();
    fs::write(folder.join("text.wasm"), "no component").unwrap();
    fails(
        &folder,
        &["check", "core.wasm"],
        1,
        &["core module", "rule build"],
    );
    fails(
        &folder,
        &["check", "wasi.wasm"],
        1,
        &[
            "FAIL  component:",
            "wasi:cli/environment@0.2.0",
            "without WASI",
        ],
    );
    fails(
        &folder,
        &["compile", "text.wasm"],
        1,
        &["not a WebAssembly component"],
    );
    for command in ["check", "compile", "manifest"] {
        fails(
            &folder,
            &[command, "none.wasm"],
            2,
            &["none.wasm", "check the path"],
        );
    }
    fails(
        &folder,
        &["check", "mine.wasm", "--config", "errors"],
        2,
        &["KEY=VALUE"],
    );
    fails(
        &folder,
        &["check", "mine.wasm", "--vectors", "nowhere"],
        2,
        &["nowhere", "request.json"],
    );
    fails(
        &folder,
        &["run", "mine.wasm", "--request", "test"],
        2,
        &["METHOD PATH"],
    );
}
