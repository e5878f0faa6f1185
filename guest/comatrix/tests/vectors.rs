//! Every case in `vectors/`, against the native code. The gateway's tests run the same ones against the component.

#[test]
fn every_case_ends_as_its_files_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    let cases = comatrix_sdk::vectors::check(&comatrix_rule::RULE, folder);
    assert!(cases > 60, "only {cases} cases in {folder}");
}
