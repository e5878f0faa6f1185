//! Keeps the structure of the code: which crate may use which, no circles between files, short lines and short files.

mod circles;
mod crates;
mod modules;
mod resolve;
mod sizes;
mod tokens;
mod workspace;

use workspace::Workspace;

/// Fails with the list, one fault a line.
#[track_caller]
fn assert_none(faults: &[String], remedy: &str) {
    assert!(faults.is_empty(), "{}\n{remedy}\n", faults.join("\n"));
}

#[test]
fn a_crate_uses_only_the_crates_below_it() {
    let faults = crates::faults(&Workspace::read().packages);
    assert_none(
        &faults,
        "Move the code, or change the table in xtask/tests/structure/crates.rs.",
    );
}

#[test]
fn no_two_files_of_a_crate_import_each_other() {
    let workspace = Workspace::read();
    let mut faults = Vec::new();
    for root in workspace.crate_roots() {
        let tree = modules::Tree::read(&root);
        for circle in circles::circles(&resolve::edges(&tree)) {
            faults.push(circle.describe(&workspace.folder));
        }
    }
    assert_none(
        &faults,
        "Move what both files need into a file of its own, and import it from there.",
    );
}

#[test]
fn lines_have_at_most_120_characters() {
    let workspace = Workspace::read();
    let faults = sizes::long_lines(&workspace.source_files(), &workspace.folder);
    assert_none(
        &faults,
        "Wrap these lines; rustfmt wraps neither comments nor strings.",
    );
}

#[test]
fn source_files_have_at_most_300_lines() {
    let workspace = Workspace::read();
    let faults = sizes::long_files(&workspace.source_files(), &workspace.folder);
    assert_none(&faults, "Split these files by subject.");
}
