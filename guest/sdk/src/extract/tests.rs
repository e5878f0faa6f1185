//! Paths through small texts, and refused ones.

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;
use crate::json;
use crate::value::Value;
use crate::value::tests::any_value;

fn reported(text: &str, paths: &[&str]) -> Vec<String> {
    let mut items = Vec::new();
    let result = extract(text.as_bytes(), paths, &mut |index, item| {
        items.push(format!("{index} {item:?}"))
    });
    assert_eq!(result, Ok(()), "{text}");
    items
}

#[test]
fn values_are_found_by_their_paths_in_the_order_of_the_text() {
    let text =
        r#"{"end":"t1","chunk":[{"x":[1,{"s":"no"}],"s":"\u0061"},7,{"s":{"s":1.5}}],"s":"no"}"#;
    let items = reported(text, &["chunk", "chunk.*.s", "chunk.*", "end", "none"]);
    let expected = [
        r#"3 Text("t1")"#,
        r#"1 Text("a")"#,
        "2 Object",
        "2 Other",
        "1 Object",
        "2 Object",
        "0 Array",
    ];
    assert_eq!(items, expected);
}

#[test]
fn what_has_no_such_path_reports_nothing() {
    for text in [
        "[]",
        "1",
        "\"a\"",
        "null",
        "{}",
        r#"[{"a":1}]"#,
        r#"{"b":{"a":1}}"#,
    ] {
        assert_eq!(reported(text, &["a"]), [""; 0], "{text}");
    }
}

#[test]
fn what_is_no_json_or_takes_too_much_memory_is_refused() {
    let deep = "[".repeat(MAX_FOREIGN_DEPTH + 1);
    let long = format!("\"{}\"", "x".repeat(MAX_STRING));
    let many = format!("[{}0]", "0,".repeat(MAX_WALKED));
    for text in ["", "{\"a\":1", "{} {}", "<html>", &deep, &long, &many] {
        assert!(
            extract(text.as_bytes(), &["a"], &mut |_, _| {}).is_err(),
            "{text:.20}"
        );
    }
}

#[test]
fn a_star_finds_every_member_of_an_object_and_tells_its_name_first() {
    let text =
        r#"{"rooms":{"!a":{"limited":true,"x":1},"!\u0062":{"limited":false},"!c":null},"*":2}"#;
    let items = reported(text, &["rooms.*", "rooms.*.limited", "rooms.!c"]);
    let expected = [
        r#"0 Key("!a")"#,
        "1 Bool(true)",
        "0 Object",
        r#"0 Key("!b")"#,
        "1 Bool(false)",
        "0 Object",
        r#"0 Key("!c")"#,
        "0 Other",
        "2 Other",
    ];
    assert_eq!(items, expected);
}

/// The values that [`extract`] must report for one path, by way of the whole text's.
fn expected(value: &Value, path: &[&str], items: &mut Vec<String>) {
    let Some((step, rest)) = path.split_first() else {
        items.push(match value {
            Value::Text(text) => format!("{:?}", Item::Text(text)),
            Value::Bool(truth) => format!("{:?}", Item::Bool(*truth)),
            Value::Array(_) => format!("{:?}", Item::Array),
            Value::Map(_) => format!("{:?}", Item::Object),
            _ => format!("{:?}", Item::Other),
        });
        return;
    };
    match value {
        Value::Array(values) if *step == ANY => {
            values.iter().for_each(|value| expected(value, rest, items));
        }
        Value::Map(pairs) => {
            for (key, value) in pairs {
                if *step == ANY && rest.is_empty() {
                    items.push(format!("{:?}", Item::Key(key)));
                }
                if key == step || *step == ANY {
                    expected(value, rest, items);
                }
            }
        }
        _ => {}
    }
}

/// A value with few names, so that paths lead somewhere.
fn any_tree() -> impl Strategy<Value = Value> {
    any_value(i64::MAX as u64).prop_recursive(4, 64, 6, |inner| {
        let name = prop::sample::select(vec!["a", "b", "*"]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|map| Value::Map(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_reported_is_what_the_whole_value_holds(
        value in any_tree(),
        path in prop::collection::vec(prop::sample::select(vec!["a", "b", "*"]), 1..5),
    ) {
        let text = json::to_text(&value);
        let mut items = Vec::new();
        expected(&value, &path, &mut items);
        let items: Vec<_> = items.iter().map(|item| format!("0 {item}")).collect();
        prop_assert_eq!(reported(&text, &[&path.join(".")]), items);
    }

    #[test]
    fn several_paths_report_what_each_reports_alone(
        value in any_tree(),
        paths in prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["a", "*"]), 1..4), 1..4),
    ) {
        let text = json::to_text(&value);
        let paths: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
        let together = RefCell::new(vec![Vec::new(); paths.len()]);
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        extract(text.as_bytes(), &names, &mut |index, item| {
            together.borrow_mut()[index].push(format!("0 {item:?}"));
        })?;
        for (name, items) in names.iter().zip(together.into_inner()) {
            prop_assert_eq!(reported(&text, &[name]), items);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = extract(&bytes, &["a", "*", "*.a.*"], &mut |_, _| {});
    }
}
