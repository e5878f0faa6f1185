//! The rules of a configuration: their places, rights and limits.

use std::path::Path;

use contract::Grant;
use gateway::config::Component;
use gateway::config::args::ServeArgs;
use runtime::{BuiltIn, RuleLimits};

use crate::configuration::{from_file, read};

#[test]
fn a_rule_of_somebody_else_has_its_own_place_rights_and_limits() {
    let text = r#"
        [limits]
        rule_steps = 3
        [[rule]]
        name = "senml"
        component = "rules/senml.wasm"
        mount = "/sensors/air"
        config = { unit = "Cel" }
        allow = ["PUT any standard /_matrix/client/v3/rooms/*/send/**"]
        allow_headers = ["x-tenant"]
        signature = "required"
        [rule.limits]
        memory = 33554432
        memories = 3
    "#;
    let mut args = from_file("configuration-rules", text);
    args.rule = vec!["other=other.wasm".into()];
    let settings = read(args);
    let [default, senml, other] = settings.rules.as_slice() else {
        panic!("there are three")
    };
    assert_eq!(
        (default.name.as_str(), default.limits.steps),
        ("comatrix", 3)
    );
    assert_eq!(senml.mount, ["sensors", "air"]);
    assert!(senml.require_signature);
    assert_eq!(senml.settings["unit"], "Cel");
    assert_eq!(
        senml.allow.iter().map(Grant::to_string).collect::<Vec<_>>(),
        ["PUT any standard /_matrix/client/v3/rooms/*/send/**"]
    );
    assert!(senml.allow_headers.pass("x-tenant") && !senml.allow_headers.pass("x-client-ip"));
    let expected = RuleLimits {
        steps: 3,
        memory: 32 << 20,
        memories: 3,
        ..RuleLimits::default()
    };
    assert_eq!(senml.limits, expected);
    // From the command line: nothing is granted.
    assert_eq!(other.mount, ["other"]);
    assert_eq!(other.allow, []);
    assert_eq!(other.component.file(), Some(Path::new("other.wasm")));
}

#[test]
fn a_rule_in_the_place_of_the_built_in_one_may_speak_the_client_api_and_no_more() {
    let args = ServeArgs {
        rule: vec!["comatrix=mine.wasm".into()],
        ..ServeArgs::default()
    };
    let rules = read(args).rules;
    let grants = &rules[0].allow;
    let need = |text: &str| {
        text.parse::<Grant>()
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let covered = |text: &str| grants.iter().any(|grant| grant.covers(&need(text)));
    assert!(covered("POST none requested /_matrix/client/v3/login"));
    assert!(!covered("GET any standard /_synapse/admin/v1/users"));
    assert!(!covered("GET any other /_matrix/client/v3/sync"));
}

#[test]
fn the_gateways_own_rules_are_there_by_name_at_the_root_and_with_all_it_has() {
    let text = r#"
        [[rule]]
        name = "lowband"
        component = "builtin:msc3079"
        config = { answer_bytes = 100000 }
    "#;
    let mut args = from_file("configuration-built-in", text);
    args.rule = vec!["comatrix=builtin:msc3079".into()];
    let settings = read(args);
    let [default, lowband] = settings.rules.as_slice() else {
        panic!("there are two")
    };
    for rule in [default, lowband] {
        assert_eq!(rule.component, Component::BuiltIn(BuiltIn::Msc3079));
        assert_eq!(rule.mount, [""; 0]);
        assert_eq!(rule.limits, RuleLimits::trusted());
    }
    assert_eq!(lowband.settings["answer_bytes"], "100000");
    let read = read(from_file(
        "configuration-default",
        "[[rule]]\nname = \"comatrix\"",
    ));
    assert_eq!(
        read.rules[0].component,
        Component::BuiltIn(BuiltIn::Comatrix)
    );
}
