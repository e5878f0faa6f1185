//! Keeps the structure of the code: which crate may use which, no circles between files, short lines and short files,
//! and a table of everything that can grow.

mod circles;
mod crates;
mod fields;
mod modules;
mod resolve;
mod sizes;
mod stores;
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

#[test]
fn every_collection_that_can_grow_is_in_the_table_of_stores() {
    let workspace = Workspace::read();
    let roots = workspace.crate_roots();
    assert_none(
        &stores::faults(&roots, &workspace.folder),
        "Each map, set, queue and channel needs a bound, and a share for one host if datagrams make it grow.\n\
         Write into host/stores.md by what it grows, its key, bound and share, and what happens when it is full;\n\
         or, if no datagram, room or rule makes it grow, into the table at its end with the reason.\n\
         host/stores.md says which vectors count.",
    );
}
