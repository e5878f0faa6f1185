//! Vectors of a manifest against a component: passed, failed, and never passed by a trap.

use std::collections::BTreeMap;
use std::path::Path;

use coap::code;
use comatrix_sdk::vectors::cases;
use contract::{Delivery, Effect, Failure, HttpRequest, Message, Reply, Step};
use runtime::self_test;
use runtime::{Case, Manifest, Revision, RuleLimits};
use serde_json::json;

use crate::default_rule;
use crate::http_call;
use crate::misbehaving::HOSTILE;
use crate::rule_package::{manifest_of, one_line};
use crate::rule_text::RuleText;

fn activate(rule: &RuleText) -> Revision {
    let (component, limits) = (rule.component(), RuleLimits::default());
    default_rule::activate_rule(
        &default_rule::engine(),
        None,
        "mine",
        &component,
        BTreeMap::new(),
        limits,
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

fn hello() -> Result<Effect, Failure> {
    let message = Message {
        code: code::CONTENT,
        options: vec![],
        payload: b"hello".to_vec(),
    };
    Ok(Effect::Reply(Reply {
        message,
        session: None,
        watch: None,
    }))
}

fn call(path: &str, state: usize) -> Result<Effect, Failure> {
    let request = HttpRequest {
        path: vec![path.into()],
        ..http_call::request()
    };
    Ok(Effect::Call(Step {
        request,
        state: vec![0; state],
    }))
}

fn vector(calls: Vec<serde_json::Value>, reply: serde_json::Value) -> Case {
    Case {
        name: "it greets".into(),
        request: json!({"method": "GET", "path": ["test"]}),
        calls,
        reply,
        observation: vec![],
    }
}

fn needed() -> Vec<serde_json::Value> {
    let request =
        json!({"upstream": "standard", "credential": "none", "method": "GET", "path": ["needed"]});
    vec![json!({"request": request, "answer": {"status": 200, "json": {}}})]
}

fn greeting() -> serde_json::Value {
    json!({"code": "2.05", "payload_text": "hello"})
}

#[test]
fn a_rule_that_matches_its_vectors_passes() {
    let mut rule = RuleText::new();
    rule.begin = rule.value(&call("needed", 16)).1;
    rule.resume = rule.value(&hello()).1;
    let revision = activate(&rule);
    assert_eq!(self_test(&revision, &[]).unwrap(), 0);
    assert_eq!(
        self_test(&revision, &[vector(needed(), greeting())]).unwrap(),
        1
    );
}

#[test]
fn a_vector_with_another_end_is_named_with_the_difference() {
    let mut rule = RuleText::new();
    rule.begin = rule.value(&hello()).1;
    let revision = activate(&rule);
    let mut unknown = vector(vec![], greeting());
    unknown.request = json!({"method": "GET", "path": ["nowhere"]});
    for (vector, differs) in [
        (
            vector(vec![], json!({"code": "2.05", "payload_text": "bye"})),
            "payload",
        ),
        (vector(vec![], json!({"code": "2.04"})), "2.04"),
        (vector(needed(), greeting()), "call 0 was not made"),
        (unknown, "no link"),
        (vector(vec![], json!(null)), "code"),
    ] {
        let error = self_test(&revision, &[vector]).unwrap_err();
        let said = error.to_string();
        assert_eq!(error.vector, "it greets");
        assert!(
            error.difference.contains(differs) && !said.contains('\n'),
            "{said}"
        );
        assert!(
            said.contains("ask its author") && said.len() < 800,
            "{said}"
        );
    }
}

#[test]
fn a_delivery_is_compared_with_that_of_the_vector_and_may_be_accepted() {
    let delivery = |lane: &str| {
        let request = HttpRequest {
            method: "PUT".into(),
            path: vec!["needed".into()],
            ..http_call::request()
        };
        Effect::Deliver(Delivery {
            lane: lane.into(),
            transaction: "7".into(),
            step: Step {
                request,
                state: vec![],
            },
        })
    };
    let expected = |end: serde_json::Value, reply| {
        let request = json!({"upstream": "standard", "credential": "none", "method": "PUT", "path": ["needed"]});
        let mut call = json!({"request": request, "deliver": {"lane": "!r:h", "transaction": "7"}});
        call.as_object_mut()
            .unwrap()
            .extend(end.as_object().unwrap().clone());
        vector(vec![call], reply)
    };
    let answered = || expected(json!({"answer": {"status": 200, "json": {}}}), greeting());
    let accepted = || {
        let reply = json!({"code": "2.04", "payload_text": "queued"});
        expected(json!({"accepted": "0a"}), reply)
    };
    let with = |lane: &str, has_outbox: bool| {
        let mut rule = RuleText::delivering();
        rule.begin = rule.value(&Ok(delivery(lane))).1;
        rule.resume = rule.value(&hello()).1;
        let queued = Message {
            code: code::CHANGED,
            options: vec![],
            payload: b"queued".to_vec(),
        };
        let accepts = rule.accepts(&Ok(queued));
        rule.accepted = has_outbox.then_some(accepts);
        activate(&rule)
    };
    assert_eq!(
        self_test(&with("!r:h", true), &[answered(), accepted()]).unwrap(),
        2
    );
    let differs = |revision: &Revision, vector: Case| {
        let error = self_test(revision, &[vector]).unwrap_err();
        error.difference
    };
    let lane = differs(&with("!s:h", true), answered());
    assert!(lane.contains("deliver") && lane.contains("!s:h"), "{lane}");
    let without = differs(&with("!r:h", false), accepted());
    assert!(without.contains("exports no outbox"), "{without}");
    let mut call = RuleText::new();
    call.begin = call.value(&self::call("needed", 0)).1;
    let mut wanted = needed();
    wanted[0]["accepted"] = json!("0a");
    let call = differs(&activate(&call), vector(wanted, greeting()));
    assert!(call.contains("only a delivery"), "{call}");
}

#[test]
fn a_trap_is_a_failure_even_if_the_vector_expects_its_code() {
    for (what, body) in HOSTILE {
        let mut rule = RuleText::new();
        rule.begin = body.into();
        let revision = activate(&rule);
        let expected = vector(vec![], json!({"code": "5.00", "diagnostic": ""}));
        let error = self_test(&revision, &[expected]).unwrap_err();
        assert!(error.difference.contains("rule mine"), "{what}: {error}");
    }
}

#[test]
fn a_call_beyond_the_needs_or_a_state_beyond_its_limit_is_a_failure() {
    for (begin, fault) in [
        (call("beyond", 0), "GET /beyond: it is not among"),
        (call("needed", (16 << 10) + 1), "its state has 16385 bytes"),
    ] {
        let mut rule = RuleText::new();
        rule.begin = rule.value(&begin).1;
        let error = self_test(&activate(&rule), &[vector(needed(), greeting())]).unwrap_err();
        assert!(error.difference.contains(fault), "{error}");
    }
}

#[test]
fn the_default_rules_vectors_pass_each_with_its_own_settings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/comatrix/vectors");
    let vectors = cases(&folder).unwrap_or_else(|error| panic!("{error}"));
    let with_settings = |vector: &&Case| vector.request.get("settings").is_some();
    assert!(vectors.iter().filter(with_settings).count() > 3);
    // The operator's own setting must not change the result of the vectors.
    let legacy = BTreeMap::from([("errors".to_owned(), "legacy".to_owned())]);
    let revision = default_rule::activate(&default_rule::engine(), &legacy).unwrap();
    let passed = self_test(&revision, &vectors).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(passed, vectors.len());
}

#[test]
fn the_needs_of_manifest_and_component_must_be_the_same_in_any_order() {
    let component = RuleText::new().component();
    let revision = activate(&RuleText::new());
    let check = |needs: &[&str]| {
        let mut manifest = manifest_of(&component);
        manifest.needs = needs.iter().map(|need| need.parse().unwrap()).collect();
        let checked = manifest.check_needs(revision.needs());
        checked.map_err(|error| error.to_string())
    };
    let need = crate::rule_package::NEED;
    assert_eq!(check(&[need]), Ok(()));
    let missing = check(&[]).unwrap_err();
    assert!(
        missing.contains(need) && missing.contains("rule manifest"),
        "{missing}"
    );
    let surplus = check(&[need, "GET any standard /**"]).unwrap_err();
    assert!(surplus.contains("GET any standard /**"), "{surplus}");
    assert!(check(&["GET any standard /needed"]).is_err());
}

#[test]
fn vectors_have_defined_fields_and_names_and_a_bounded_number() {
    let component = RuleText::new().component();
    let with = |vectors: &str| {
        let text = serde_json::to_string(&manifest_of(&component)).unwrap();
        let text = text.replace("\"vectors\":[]", &format!("\"vectors\":{vectors}"));
        Manifest::parse(text.as_bytes()).map_err(|error| one_line(&error))
    };
    let vector = |name: &str| format!("{{\"name\":\"{name}\",\"request\":{{}},\"reply\":{{}}}}");
    let many = |count| format!("[{}]", vec![vector("a"); count].join(","));
    assert_eq!(with(&many(64)).unwrap().vectors.len(), 64);
    assert!(with(&many(65)).unwrap_err().contains("are 65, at most 64"));
    for name in ["", "a\\nb", &"a".repeat(65)] {
        assert!(
            with(&format!("[{}]", vector(name)))
                .unwrap_err()
                .contains("name"),
            "{name}"
        );
    }
    let calls = format!(
        "[{{\"name\":\"a\",\"request\":{{}},\"reply\":{{}},\"calls\":[{}]}}]",
        vec!["{}"; 33].join(",")
    );
    assert!(with(&calls).unwrap_err().contains("more than 32 calls"));
    assert!(
        with("[{\"name\":\"a\",\"request\":{},\"reply\":{},\"skip\":1}]")
            .unwrap_err()
            .contains("unknown field `skip`")
    );
    assert!(
        with("[{\"name\":\"a\",\"request\":{}}]")
            .unwrap_err()
            .contains("missing field `reply`")
    );
}
