//! Every case in `vectors/`, against the native code. The gateway's tests run the same ones against the component.

use comatrix_sdk::vectors::check;

#[test]
fn every_case_ends_as_its_files_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");
    assert!(check(&command_rule::RULE, folder) > 10);
}
