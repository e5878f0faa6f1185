//! The modules of a crate and the files that define them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::tokens::{self, Names};

/// The path of a module in its crate; empty for the root.
pub type ModulePath = Vec<String>;

/// A module in braces has the file around it.
#[derive(Debug)]
pub struct Module {
    pub file: PathBuf,
    pub names: Names,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Tree {
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Tree {
    /// `root`: the file `lib.rs` or `main.rs`.
    pub fn read(root: &Path) -> Tree {
        Tree::load(root, &|file| std::fs::read_to_string(file).ok())
    }

    /// `source`: the text of a file, if there is such a file.
    pub fn load(root: &Path, source: &dyn Fn(&Path) -> Option<String>) -> Tree {
        let mut tree = Tree::default();
        let text = source(root).expect("a crate has its first file");
        let folder = root.parent().expect("a file is in a folder");
        tree.add(Vec::new(), root, folder, tokens::names(&text), source);
        tree
    }

    /// `folder`: where the files of its submodules are.
    fn add(
        &mut self,
        path: ModulePath,
        file: &Path,
        folder: &Path,
        mut names: Names,
        source: &dyn Fn(&Path) -> Option<String>,
    ) {
        for (name, inner) in std::mem::take(&mut names.inline) {
            self.add(
                child(&path, &name),
                file,
                &folder.join(&name),
                inner,
                source,
            );
        }
        for name in &names.modules {
            let places = [
                folder.join(format!("{name}.rs")),
                folder.join(name).join("mod.rs"),
            ];
            // None of them: the module has an attribute `path`, and its file is then that of another module.
            if let Some((place, text)) = places
                .iter()
                .find_map(|place| Some((place, source(place)?)))
            {
                self.add(
                    child(&path, name),
                    place,
                    &folder.join(name),
                    tokens::names(&text),
                    source,
                );
            }
        }
        self.modules.insert(
            path,
            Module {
                file: file.to_owned(),
                names,
            },
        );
    }
}

pub fn child(module: &[String], name: &str) -> ModulePath {
    let mut path = module.to_vec();
    path.push(name.to_owned());
    path
}
