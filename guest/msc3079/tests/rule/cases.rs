//! Every case in `vectors/`, against the native code. The gateway's tests run the same ones against the component.

use comatrix_sdk::vectors::{check, diagnostics};

use crate::native::Msc3079;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");

#[test]
fn every_case_ends_as_its_files_say() {
    let cases = check(&Msc3079, FOLDER);
    assert!(cases > 90, "only {cases} cases in {FOLDER}");
}

/// The texts of error responses fit small devices: a stack with 64 bytes for a payload cuts the rest.
#[test]
fn every_diagnostic_is_ascii_and_has_its_remedy_in_front() {
    let diagnostics = diagnostics(&Msc3079, FOLDER);
    assert!(diagnostics.len() > 30, "only {}", diagnostics.len());
    for (case, text) in diagnostics {
        assert!(
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{case}: {text}"
        );
        assert!(text.len() <= 100, "{case}: {} bytes: {text}", text.len());
        for word in ["send ", "ask ", "try ", "repeat ", "leave "] {
            let starts = text.match_indices(word).map(|(start, _)| start);
            for start in starts.filter(|start| *start == 0 || text.as_bytes()[start - 1] == b' ') {
                let end = text[start..]
                    .find([';', ':', ','])
                    .map_or(text.len(), |length| start + length);
                assert!(end <= 64, "{case}: the remedy ends at {end}: {text}");
            }
        }
    }
}
