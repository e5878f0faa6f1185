//! Which file uses which: each path leads to the file that defines its item. Modules that only re-export it are
//! followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::modules::{Module, Tree, child};

/// A file, a file that it uses, and one path by which it does.
pub type Edges = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

/// A path leads to a module or to an item in a file.
enum Target {
    Module(Vec<String>),
    Item(PathBuf),
}

/// All edges between files of the crate.
pub fn edges(tree: &Tree) -> Edges {
    let mut edges = Edges::new();
    for (path, module) in &tree.modules {
        let imports = module.names.imports.iter().filter(|one| {
            // A re-export uses nothing itself, except where the name also stands elsewhere in the file.
            let is_used = |path: &Vec<String>| path[0] == one.name;
            !one.is_public || module.names.paths.iter().any(is_used)
        });
        let imported = imports.map(|one| (&one.path, one.name == "*"));
        for (used, is_glob) in imported.chain(module.names.paths.iter().map(|path| (path, false))) {
            let file = match resolve(tree, path, used, &mut BTreeSet::new()) {
                Some(Target::Item(file)) => file,
                Some(Target::Module(module)) if is_glob => tree.modules[&module].file.clone(),
                // The name of a module. Paths that begin with it lead further.
                Some(Target::Module(_)) | None => continue,
            };
            if file != module.file {
                let of_file = edges.entry(module.file.clone()).or_default();
                of_file.entry(file).or_insert_with(|| used.join("::"));
            }
        }
    }
    edges
}

/// Nothing where the path leads to another crate, or is a single name of the module itself.
fn resolve(
    tree: &Tree,
    module: &[String],
    path: &[String],
    visited: &mut BTreeSet<(Vec<String>, Vec<String>)>,
) -> Option<Target> {
    if !visited.insert((module.to_vec(), path.to_vec())) {
        return None;
    }
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => descend(tree, &[], rest, visited),
        "self" => descend(tree, module, rest, visited),
        "super" => {
            let (_, parent) = module.split_last()?;
            let mut parent = parent;
            let mut rest = rest;
            while let Some((next, others)) = rest.split_first()
                && next == "super"
            {
                parent = parent.split_last()?.1;
                rest = others;
            }
            descend(tree, parent, rest, visited)
        }
        _ if tree.modules.contains_key(&child(module, first)) => {
            descend(tree, &child(module, first), rest, visited)
        }
        _ => {
            let of_module = &tree.modules[module];
            let import = of_module
                .names
                .imports
                .iter()
                .find(|one| one.name == *first)?;
            let whole = [&import.path, rest].concat();
            // `use a;` of another crate is no path of this one.
            (whole != path)
                .then(|| resolve(tree, module, &whole, visited))
                .flatten()
        }
    }
}

/// From a module down to the item.
fn descend(
    tree: &Tree,
    module: &[String],
    path: &[String],
    visited: &mut BTreeSet<(Vec<String>, Vec<String>)>,
) -> Option<Target> {
    let of_module: &Module = tree.modules.get(module)?;
    let Some((name, rest)) = path.split_first() else {
        return Some(Target::Module(module.to_vec()));
    };
    let below = child(module, name);
    if tree.modules.contains_key(&below) {
        return descend(tree, &below, rest, visited);
    }
    if of_module.names.items.contains(name) {
        return Some(Target::Item(of_module.file.clone()));
    }
    let imports = &of_module.names.imports;
    if let Some(import) = imports.iter().find(|one| one.name == *name) {
        let whole = [&import.path, rest].concat();
        return resolve(tree, module, &whole, visited);
    }
    for glob in imports.iter().filter(|one| one.name == "*") {
        let whole = [glob.path.as_slice(), path].concat();
        if let Some(Target::Item(file)) = resolve(tree, module, &whole, visited)
            && file != of_module.file
        {
            return Some(Target::Item(file));
        }
    }
    // An item that a macro makes.
    Some(Target::Item(of_module.file.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circles::circles;

    /// `file: source`, and from each file the files that it uses.
    fn uses(files: &[(&str, &str)]) -> Vec<String> {
        let source = |file: &std::path::Path| {
            let found = files
                .iter()
                .find(|(name, _)| std::path::Path::new(name) == file)?;
            Some(found.1.to_owned())
        };
        let tree = Tree::load(std::path::Path::new(files[0].0), &source);
        let edges = edges(&tree);
        let line = |(from, to): (&PathBuf, &BTreeMap<PathBuf, String>)| {
            let to: Vec<String> = to.keys().map(|file| file.display().to_string()).collect();
            format!("{} -> {}", from.display(), to.join(" "))
        };
        edges.iter().map(line).collect()
    }

    #[test]
    fn a_facade_is_followed_to_the_file_that_defines_the_item() {
        let files = [
            ("lib.rs", "mod house; mod guest;"),
            (
                "house/mod.rs",
                "mod door; mod window; pub use door::Door; pub use window::*;",
            ),
            ("house/door.rs", "pub struct Door;"),
            ("house/window.rs", "pub struct Window;"),
            (
                "guest.rs",
                "use crate::house::{Door, Window}; fn f() { crate::house::Door::open() }",
            ),
        ];
        assert_eq!(uses(&files), ["guest.rs -> house/door.rs house/window.rs"]);
    }

    #[test]
    fn a_facade_that_uses_its_own_exports_is_a_user() {
        let files = [
            ("lib.rs", "mod a; pub use a::A; pub struct B(A);"),
            ("a.rs", "use super::B; pub struct A;"),
        ];
        assert_eq!(uses(&files), ["a.rs -> lib.rs", "lib.rs -> a.rs"]);
    }

    #[test]
    fn a_module_that_was_imported_leads_to_its_items() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b; fn f() { b::C::new(); }"),
            ("b.rs", "pub use crate::c::C;"),
            ("c.rs", "pub struct C; impl C { fn new() {} }"),
        ];
        assert_eq!(uses(&files), ["a.rs -> c.rs"]);
    }

    #[test]
    fn a_call_of_a_submodule_is_a_use() {
        let files = [
            ("lib.rs", "mod a; fn f() { a::g() } struct S;"),
            ("a.rs", "pub fn g(s: super::S) {}"),
        ];
        assert_eq!(uses(&files), ["a.rs -> lib.rs", "lib.rs -> a.rs"]);
    }

    #[test]
    fn tests_other_crates_and_modules_in_braces_are_no_uses() {
        let files = [
            (
                "lib.rs",
                "mod a; mod b { pub struct B; } use std::a::A; fn f() { b::B }",
            ),
            ("a.rs", "#[cfg(test)] mod tests { use crate::b::B; }"),
        ];
        assert!(uses(&files).is_empty());
    }

    #[test]
    fn a_circle_of_three_files_is_found() {
        let sources = [
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use super::b::B; pub struct A;"),
            ("b.rs", "pub struct B(crate::c::C);"),
            (
                "c.rs",
                "use crate::{a::A, d}; pub struct C; fn f() { d::D }",
            ),
            ("d.rs", "pub struct D;"),
        ];
        let source = |file: &std::path::Path| {
            let found = sources
                .iter()
                .find(|(name, _)| std::path::Path::new(name) == file)?;
            Some(found.1.to_owned())
        };
        let tree = Tree::load(std::path::Path::new("lib.rs"), &source);
        let circles = circles(&edges(&tree));
        let text: Vec<String> = circles
            .iter()
            .map(|one| one.describe(std::path::Path::new("")))
            .collect();
        let expected = "files that import each other:\n  a.rs uses b.rs (super::b::B)\n  b.rs uses c.rs \
            (crate::c::C)\n  c.rs uses a.rs (crate::a::A)";
        assert_eq!(text, [expected]);
    }
}
