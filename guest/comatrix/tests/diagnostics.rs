//! The texts of error responses fit small devices: a stack with 64 bytes for a payload cuts the rest, and a display of
//! a microcontroller has ASCII only.

/// Bytes of a diagnostic, and those of them in which its remedy is.
const MOST: usize = 100;
const REMEDY: usize = 64;

/// The words with which a remedy begins.
const REMEDIES: [&str; 11] = [
    "send ", "see ", "try ", "repeat ", "use ", "leave ", "observe ", "write ", "begin ", "name ",
    "log ",
];

/// Whether each remedy in the text ends within its first 64 bytes, or as the text does.
fn remedies_fit(text: &str) -> bool {
    REMEDIES.iter().all(|word| {
        text.match_indices(word).all(|(start, _)| {
            let is_begin = start == 0 || text.as_bytes()[start - 1] == b' ';
            let length = text[start..].find([';', ':']).unwrap_or(text.len() - start);
            !is_begin || start + length <= REMEDY
        })
    })
}

#[test]
fn every_diagnostic_is_ascii_and_short_and_has_its_remedy_in_front() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    let diagnostics = comatrix_sdk::vectors::diagnostics(&comatrix_rule::RULE, folder);
    assert!(diagnostics.len() > 60, "only {}", diagnostics.len());
    let faults = diagnostics.iter().filter_map(|(case, text)| {
        let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let is_right = is_printable && text.len() <= MOST && remedies_fit(text);
        (!is_right).then(|| format!("{case}: {} bytes: {text}", text.len()))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
