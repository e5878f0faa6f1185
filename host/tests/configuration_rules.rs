//! The rules of a configuration: their places, rights and limits.

use std::path::Path;

use contract::Grant;
use gateway::config::args::ServeArgs;
use runtime::RuleLimits;

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
    assert_eq!(other.component.as_deref(), Some(Path::new("other.wasm")));
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
