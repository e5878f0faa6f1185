//! Components that do not become a revision: the error names the rule, the fault, and the remedy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use runtime::DEFAULT_RULE;
use runtime::{ActivationError, Engines, RuleLimits};

use crate::default_rule::{self, activate_rule, engine};
use crate::misbehaving::HOSTILE;
use crate::rule_text::RuleText;

fn refused(engine: &Engines, component: &[u8]) -> ActivationError {
    let limits = RuleLimits::default();
    match activate_rule(engine, None, "mine", component, BTreeMap::new(), limits) {
        Ok(_) => panic!("it became a revision"),
        Err(error) => error,
    }
}

/// Names the rule and one of the remedies, in one line of sensible length.
fn says(error: &ActivationError, remedy: &str) {
    let said = error.to_string();
    assert!(said.starts_with("rule mine"), "{said}");
    assert!(said.contains(remedy), "{said}");
    assert!(said.len() < 1000, "{said}");
}

fn text(component: &str) -> Vec<u8> {
    wat::parse_str(component).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn bytes_that_are_no_whole_component_are_refused_with_a_remedy() {
    let engine = engine();
    let module = text("(module (func (export \"describe\")))");
    let cases = [
        &b""[..],
        b"not a component",
        b"\0asm",
        &DEFAULT_RULE[..9],
        &DEFAULT_RULE[..DEFAULT_RULE.len() / 2],
        &DEFAULT_RULE[..DEFAULT_RULE.len() - 1],
        &module,
    ];
    for component in cases {
        let error = refused(&engine, component);
        assert!(matches!(error, ActivationError::Compile { .. }), "{error}");
        says(&error, "rule build");
    }
}

#[test]
fn a_component_that_imports_more_than_the_contract_is_refused_with_the_import() {
    let engine = engine();
    for import in [
        "wasi:cli/environment@0.2.0",
        "evil:host/shell",
        "comatrix:gateway-evil/x",
    ] {
        let component = text(&format!("(component (import \"{import}\" (instance)))"));
        let error = refused(&engine, &component);
        assert!(matches!(error, ActivationError::Import { .. }), "{error}");
        says(&error, import);
        says(&error, "WASI");
    }
}

#[test]
fn a_component_of_another_contract_is_refused_with_a_remedy() {
    let engine = engine();
    let cases = [
        "(component)",
        r#"(component (instance $i) (export "comatrix:gateway/translator@0.2.0" (instance $i)))"#,
        r#"(component (import "comatrix:gateway/log@0.2.0" (instance (export "write" (func (param "level" u32))))))"#,
        r#"(component (import "comatrix:gateway/clock@0.2.0" (instance (export "now" (func)))))"#,
    ];
    for component in cases {
        let error = refused(&engine, &text(component));
        assert!(matches!(error, ActivationError::Contract { .. }), "{error}");
        says(&error, "wit folder");
    }
}

#[test]
fn a_component_of_another_version_of_the_contract_is_refused_with_both_versions() {
    let engine = engine();
    let cases = [
        (
            "0.1.0",
            r#"(component (instance $i) (export "comatrix:gateway/translator@0.1.0" (instance $i)))"#,
        ),
        (
            "0.1.7",
            r#"(component (import "comatrix:gateway/log@0.1.7" (instance (export "write" (func)))))"#,
        ),
        (
            "1.2.0",
            r#"(component (instance $i) (export "comatrix:gateway/outbox@1.2.0" (instance $i)))"#,
        ),
    ];
    for (version, component) in cases {
        let error = refused(&engine, &text(component));
        assert!(
            matches!(error, ActivationError::OtherContract { .. }),
            "{error}"
        );
        says(
            &error,
            &format!("contract {version}, this gateway has 0.2.0"),
        );
        says(&error, "SDK");
    }
}

#[test]
fn a_setting_that_the_rule_refuses_is_reported_in_the_rules_words() {
    let settings = BTreeMap::from([("errors".to_owned(), "sometimes".to_owned())]);
    let Err(error) = default_rule::activate(&engine(), &settings) else {
        panic!("it became a revision")
    };
    assert!(matches!(error, ActivationError::Refused { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("comatrix") && said.contains("precise"),
        "{said}"
    );
}

#[test]
fn a_rule_whose_describe_never_ends_well_is_refused_and_the_engine_stays_fit() {
    let engine = engine();
    for (what, body) in HOSTILE {
        let mut rule = RuleText::new();
        rule.describe = body.into();
        let component = rule.component();
        let began = Instant::now();
        let error = refused(&engine, &component);
        assert!(matches!(error, ActivationError::Trap(_)), "{what}: {error}");
        says(
            &error,
            match what {
                "endless loop" => "call_ms",
                "memory" => "limit memory",
                _ => "author",
            },
        );
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
    }
    assert!(default_rule::activate(&engine, &BTreeMap::new()).is_ok());
}

#[test]
fn a_rule_that_starts_with_more_memory_than_an_instance_may_have_is_refused() {
    for pages in [33, 1000] {
        let mut rule = RuleText::new();
        rule.pages = pages;
        let error = refused(&engine(), &rule.component());
        let said = error.to_string();
        assert!(
            said.starts_with("rule mine") && said.contains("memory"),
            "{said}"
        );
    }
}

#[test]
fn a_memory_limit_below_the_pools_holds_as_well() {
    let mut rule = RuleText::new();
    rule.pages = 4;
    let limits = RuleLimits {
        memory: 3 << 16,
        ..RuleLimits::default()
    };
    let component = rule.component();
    let activate =
        |limits| activate_rule(&engine(), None, "mine", &component, BTreeMap::new(), limits);
    assert!(activate(limits).is_err());
    assert!(activate(RuleLimits::default()).is_ok());
}
