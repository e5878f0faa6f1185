//! Configurations that cannot work: errors name the fault, its place and the remedy, and never a secret.

use std::fs;

use gateway::config::Settings;
use gateway::config::args::ServeArgs;

use crate::configuration::{from_file, full};

/// The error of a configuration that cannot work.
fn refused(args: ServeArgs) -> String {
    match Settings::from_args(&args) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_fault_in_a_file_is_reported_with_its_place_and_a_remedy() {
    let cases = [
        // The file's content, the words that must be named, the remedy.
        ("prot = 1", "prot", "README"),
        ("port = 70000", "port", "README"),
        ("port = \"coap\"", "port", "README"),
        ("ip = ", "gateway.toml", "README"),
        ("\n\nip = [", "line 3", "README"),
        ("[[homeserver]]\nname = \"x\"", "url", "README"),
        ("log_level = \"loud\"", "trace", "README"),
        ("[limits]\nsteps = 3", "steps", "README"),
        ("[limits]\nrule_steps = 0", "rule_steps", "1 to 100"),
        ("[limits]\nrule_steps = 101", "rule_steps", "1 to 100"),
        (
            "[limits]\nrule_memory = 67108865",
            "rule_memory",
            "67108864",
        ),
        ("[limits]\nrequest_body = 1", "request_body", "1024"),
        (
            "[limits]\nhomeserver_answer = 1048577",
            "homeserver_answer",
            "1048576",
        ),
        (
            "[limits]\nexchange_seconds = 0",
            "exchange_seconds",
            "1 to 120",
        ),
        (
            "ip = \"::1\"\n[coap]\nmulticast = true",
            "::1",
            "listen on ::",
        ),
        ("[coap]\nblock_size = 100", "block_size", "1024"),
        ("[coap]\nnames = [\"a:1\"]", "a:1", "without scheme"),
        (
            "[coap]\nmulticast_interfaces = [\"lo\"]",
            "multicast_interfaces",
            "multicast = true",
        ),
        (
            "[limits]\nunproven_bytes = 10",
            "unproven_bytes",
            "136 to 65535",
        ),
        ("token_peers = [\"all\"]", "token_peers", "fd00::/8"),
        (
            "token_peers = [\"127.0.0.0/33\"]",
            "127.0.0.0/33",
            "fd00::/8",
        ),
        ("ip = \"fe80::1\"", "fe80::1", "fe80::1%"),
        ("ip = \"::1%lo\"", "zone", "write ::1"),
        ("ip = \"gateway\"", "gateway", "use one such as"),
        (
            "[[homeserver]]\nurl = \"matrix.example\"",
            "is malformed",
            "https://",
        ),
        (
            "[[homeserver]]\nurl = \"http://a\"\n[[homeserver]]\nurl = \"ftp://b\"",
            "homeserver 2",
            "https://",
        ),
        (
            "[[homeserver]]\nurl = \"http://a\"\n[[homeserver]]\nurl = \"http://a:80\"",
            "twice",
            "remove one",
        ),
        ("[[rule]]\nname = \"a b\"", "a b", "letters, digits"),
        (
            "[[rule]]\nname = \"comatrix\"\n[[rule]]\nname = \"comatrix\"",
            "comatrix",
            "twice",
        ),
        (
            "[[rule]]\nname = \"comatrix\"\nconfig = { a = [1] }",
            "array",
            "text, a number or a boolean",
        ),
        ("[[rule]]\nname = \"mine\"", "mine", "component ="),
        (
            "[[rule]]\nname = \"mine\"\ncomponent = \"a\"\nmount = \"sensors\"",
            "mount",
            "\"/sensors\"",
        ),
        (
            "[[rule]]\nname = \"mine\"\ncomponent = \"a\"\nallow = [\"PUT /send\"]",
            "mine",
            "METHODS CREDENTIAL UPSTREAM PATH",
        ),
        (
            "[[rule]]\nname = \"mine\"\ncomponent = \"a\"\nallow_headers = [\"X-Tenant\"]",
            "rule mine: allow_headers",
            "lower case",
        ),
        (
            "[[rule]]\nname = \"mine\"\ncomponent = \"a\"\nallow_headers = [\"authorization\"]",
            "rule mine: allow_headers",
            "set by the gateway itself",
        ),
        (
            "[[rule]]\nname = \"mine\"\ncomponent = \"a\"\nlimits = { cpu_percent = 101 }",
            "rule mine: [limits] cpu_percent",
            "1 to 100",
        ),
        (
            "[rules]\nrequire_signature = true",
            "signatures are required",
            "rule keygen",
        ),
        (
            "access_token_file = \"nothing\"",
            "nothing",
            "into that file",
        ),
    ];
    for (text, named, remedy) in cases {
        let said = refused(from_file("configuration-wrong", text));
        assert!(said.contains(named), "{text:?}: {named:?} is not in {said}");
        assert!(
            said.contains(remedy),
            "{text:?}: {remedy:?} is not in {said}"
        );
    }
}

#[test]
fn a_fault_in_the_command_line_is_reported_with_a_remedy() {
    let none = ServeArgs::default;
    let rule = |rule: &str| ServeArgs {
        rule: vec![rule.into()],
        ..none()
    };
    let cases = [
        (rule("comatrix"), "NAME=FILE"),
        (rule("comatrix="), "NAME=FILE"),
        (rule("a/b=x.wasm"), "letters, digits"),
        (
            ServeArgs {
                rule: vec!["comatrix=a".into(), "comatrix=b".into()],
                ..none()
            },
            "remove one",
        ),
        (
            ServeArgs {
                config: Some("/nothing/gateway.toml".into()),
                ..none()
            },
            "--config",
        ),
        (
            ServeArgs {
                homeserver: (0..65).map(|number| format!("http://h{number}")).collect(),
                ..none()
            },
            "64",
        ),
    ];
    for (args, remedy) in cases {
        let said = refused(args);
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_and_not_read_in_part() {
    let text = format!("port = 1\n{}\nip = \"::1\"", "# text\n".repeat(200_000));
    let said = refused(from_file("configuration-large", &text));
    assert!(said.contains("gateway.toml"), "{said}");
}

#[test]
fn no_error_and_no_debug_output_contains_a_secret() {
    let cases = [
        // A token where the name of its file belongs under another name, and passwords in URLs.
        "access_token = \"SECRET\"",
        "[[homeserver]]\nurl = \"http://a\"\naccess_token = \"SECRET\"",
        "homeserver = \"http://user:SECRET@m.example\"",
        "homeserver = [\"http://user:SECRET@m.example\"]",
        "[[homeserver]]\nurl = \"http://user:SECRET@m.example\"",
        "[[homeserver]]\nurl = \"http://m.example/?access_token=SECRET\"",
        "[[homeserver]]\nurl = \"SECRET\"",
        "password = 'SECRET",
        "port = \"SECRET\"",
        "[limits]\nrule_steps = \"SECRET\"",
    ];
    for text in cases {
        let said = refused(from_file("configuration-secret", text));
        assert!(!said.contains("SECRET"), "{text:?}: {said}");
    }
    let (args, folder) = full("configuration-debug");
    let settings = Settings::from_args(&args).unwrap_or_else(|error| panic!("{error}"));
    let tokens: Vec<_> = settings
        .upstreams
        .homeservers
        .iter()
        .map(|h| h.token())
        .collect();
    assert_eq!(format!("{tokens:?}").matches("hidden").count(), 2);
    assert!(!format!("{tokens:?}").contains("SECRET"));
    for wrong in ["SECRET token", "SECRET\nSECRET", "SECRET\u{e9}"] {
        fs::write(folder.join("token"), wrong).expect("the folder is the test's");
        let said = refused(ServeArgs {
            config: Some(folder.join("gateway.toml")),
            ..ServeArgs::default()
        });
        assert!(!said.contains("SECRET") && said.contains("alone"), "{said}");
    }
}
