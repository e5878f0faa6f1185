//! The tables of `host/stores.md` and the collections in the source: each must be in one of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::fields::{Field, aliases, fields};
use crate::modules::Tree;

/// The crates whose collections datagrams, rooms and rules may make grow. `device` serves no datagrams.
const CRATES: [&str; 10] = [
    "coap",
    "contract",
    "gateway",
    "homeserver",
    "outbox",
    "runtime",
    "secure",
    "share",
    "store",
    "transport",
];
/// Code that runs in devices and tests: a client, and a simulated disk.
const ELSEWHERE: [&str; 2] = ["coap/src/client", "store/src/simulation"];
/// Where the tables are, relative to the repository.
const TABLES: &str = "host/stores.md";

/// A collection: its file, relative to `host`, and its name.
type Key = (String, String);

/// Collections that are in no table, and rows without a collection. `roots` are the first files of all crates.
pub fn faults(roots: &[PathBuf], folder: &Path) -> Vec<String> {
    let host = folder.join("host");
    let mut found = BTreeMap::new();
    for name in CRATES {
        let source = host.join(name).join("src");
        for root in roots.iter().filter(|root| root.starts_with(&source)) {
            add_crate(root, &host, &mut found);
        }
    }
    let text = std::fs::read_to_string(folder.join(TABLES)).unwrap_or_default();
    compare(&text, &found)
}

/// Adds the collections of a crate, and whether each must be in a table.
fn add_crate(root: &Path, host: &Path, found: &mut BTreeMap<Key, bool>) {
    let tree = Tree::read(root);
    let files: BTreeSet<&PathBuf> = tree.modules.values().map(|module| &module.file).collect();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).expect("a module has a file");
        let name = file.strip_prefix(host).expect("a crate is below host");
        (name.display().to_string(), text)
    };
    let files: Vec<_> = files.into_iter().map(read).collect();
    let aliases = files.iter().flat_map(|(_, text)| aliases(text)).collect();
    let serves = |file: &str| !ELSEWHERE.iter().any(|folder| file.starts_with(folder));
    for (file, text) in files.iter().filter(|(file, _)| serves(file)) {
        for Field { name, is_store } in fields(text, &aliases) {
            found.insert((file.clone(), name), is_store);
        }
    }
}

fn compare(text: &str, found: &BTreeMap<Key, bool>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut listed = BTreeSet::new();
    for (number, row) in rows(text) {
        let at = format!("{TABLES}:{number}");
        if row.cells.iter().any(String::is_empty) {
            faults.push(format!("{at} has an empty cell; write \"none\" and why"));
        }
        for key in row.stores {
            let (file, name) = &key;
            if !found.contains_key(&key) {
                faults.push(format!("{at}: host/{file} has no collection {name}"));
            } else if !listed.insert(key.clone()) {
                faults.push(format!("{at}: {name} of host/{file} is in another row too"));
            }
        }
    }
    for (key, is_store) in found {
        if *is_store && !listed.contains(key) {
            let (file, name) = key;
            faults.push(format!(
                "host/{file}: {name} can grow and is not in {TABLES}"
            ));
        }
    }
    faults
}

/// A row of a table, without the row of its head and the line below that.
struct Row {
    stores: Vec<Key>,
    cells: Vec<String>,
}

/// The rows whose first cell names a file, with the numbers of their lines.
fn rows(text: &str) -> Vec<(usize, Row)> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let cells = line
            .strip_prefix('|')
            .and_then(|line| line.strip_suffix('|'));
        let cells = cells.into_iter().flat_map(|line| line.split('|'));
        let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        let stores = cells.first().map(|first| stores_of(first));
        if let Some(stores) = stores.filter(|stores| !stores.is_empty()) {
            rows.push((index + 1, Row { stores, cells }));
        }
    }
    rows
}

/// `` `Table::by_id`, `by_peer` in `coap/src/table.rs` ``: a name without a type is of the type before it.
fn stores_of(cell: &str) -> Vec<Key> {
    let mut stores = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut of_type = "";
    for quoted in cell.split('`').skip(1).step_by(2) {
        if quoted.ends_with(".rs") {
            let keys = names.drain(..).map(|name| (quoted.to_owned(), name));
            stores.extend(keys);
        } else if let Some((before, _)) = quoted.rsplit_once("::") {
            of_type = before;
            names.push(quoted.to_owned());
        } else {
            names.push(format!("{of_type}::{quoted}"));
        }
    }
    stores
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let key = |name: &str| ("a/src/t.rs".to_owned(), name.to_owned());
        let stores = [("T::ids", true), ("T::peers", true), ("T::names", false)];
        let found = stores.map(|(name, is_store)| (key(name), is_store));
        compare(text, &found.into())
    }

    #[test]
    fn tables_with_every_store_have_no_fault_and_a_vector_may_be_left_out() {
        let head = "| store | bound |\n| --- | --- |\n";
        let all = "| `T::ids`, `peers` in `a/src/t.rs` | 8 |";
        assert_eq!(faults_of(&format!("{head}{all}")), [""; 0]);
        let one = "| `T::ids` in `a/src/t.rs`; `T::peers` in `a/src/t.rs` | 8 |";
        assert_eq!(faults_of(one), [""; 0]);
        let apart = "| `T::ids` in `a/src/t.rs` | 8 |\n| `T::peers`, `names` in `a/src/t.rs` | 8 |";
        assert_eq!(faults_of(apart), [""; 0]);
    }

    #[test]
    fn a_store_without_a_row_and_a_row_without_a_store_are_faults() {
        let faults = faults_of("| `T::ids`, `gone` in `a/src/t.rs` | 8 |");
        let expected = [
            "host/stores.md:1: host/a/src/t.rs has no collection T::gone",
            "host/a/src/t.rs: T::peers can grow and is not in host/stores.md",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn an_empty_cell_and_a_second_row_for_a_store_are_faults() {
        let faults =
            faults_of("| `T::ids`, `peers` in `a/src/t.rs` | |\n| `T::ids` in `a/src/t.rs` | 8 |");
        let expected = [
            "host/stores.md:1 has an empty cell; write \"none\" and why",
            "host/stores.md:2: T::ids of host/a/src/t.rs is in another row too",
        ];
        assert_eq!(faults, expected);
    }
}
