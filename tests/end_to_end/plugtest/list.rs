//! The list itself: every row is a test here, or stands in `not_applicable.txt` with its reason; never both, never
//! neither.

use std::collections::{BTreeMap, BTreeSet};

/// Group and numbers of the list's rows.
const ROWS: [(&str, &[u8]); 5] = [
    (
        "CORE",
        &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 31,
        ],
    ),
    ("BLOCK", &[1, 2, 3, 4, 5, 6]),
    ("OBS", &[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    ("LINK", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("DTLS", &[1, 2, 3, 4, 5, 6, 7]),
];

const TESTS: [&str; 7] = [
    include_str!("core.rs"),
    include_str!("core_options.rs"),
    include_str!("block.rs"),
    include_str!("obs.rs"),
    include_str!("obs_ends.rs"),
    include_str!("link.rs"),
    include_str!("dtls.rs"),
];

/// `TD_COAP_CORE_01` from `fn td_coap_core_01_a_confirmable_get() {` behind `#[test]`.
fn tested(source: &str) -> impl Iterator<Item = String> {
    let names = source.split("#[test]\nfn ").skip(1);
    names.filter_map(|rest| {
        let words: Vec<&str> = rest.splitn(5, '_').take(4).collect();
        (words.len() == 4).then(|| words.join("_").to_uppercase())
    })
}

#[test]
fn every_row_is_a_test_or_has_a_reason_why_there_is_none() {
    let rows: BTreeSet<String> = ROWS
        .iter()
        .flat_map(|(group, numbers)| {
            numbers
                .iter()
                .map(move |number| format!("TD_COAP_{group}_{number:02}"))
        })
        .collect();
    let tested: Vec<String> = TESTS.iter().flat_map(|source| tested(source)).collect();
    let reasons: BTreeMap<&str, &str> = include_str!("not_applicable.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(char::is_whitespace))
        .collect();
    for row in &rows {
        let tests = tested.iter().filter(|name| *name == row).count();
        let reason = reasons.get(row.as_str()).map_or("", |reason| reason.trim());
        assert_eq!(
            tests + usize::from(reason.len() > 20),
            1,
            "{row}: {tests} tests, reason {reason:?}"
        );
    }
    for name in tested
        .iter()
        .map(String::as_str)
        .chain(reasons.keys().copied())
    {
        assert!(rows.contains(name), "{name} is no row of the list");
    }
}
