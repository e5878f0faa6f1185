//! Groups of files in which each reaches each other by imports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::resolve::Edges;

/// Two or more files, and the imports between them.
pub struct Circle {
    /// User, used, and the path by which it is used.
    imports: Vec<(PathBuf, PathBuf, String)>,
}

impl Circle {
    /// File names are relative to `folder`.
    pub fn describe(&self, folder: &Path) -> String {
        let name = |file: &Path| {
            file.strip_prefix(folder)
                .unwrap_or(file)
                .display()
                .to_string()
        };
        let lines = self
            .imports
            .iter()
            .map(|(user, used, path)| format!("\n  {} uses {} ({path})", name(user), name(used)));
        format!("files that import each other:{}", lines.collect::<String>())
    }
}

/// A crate has a hundred files: to look from each of them is fast enough.
pub fn circles(edges: &Edges) -> Vec<Circle> {
    let reached: Vec<(&PathBuf, BTreeSet<&PathBuf>)> = edges
        .keys()
        .map(|file| (file, reach(edges, file)))
        .collect();
    let mut grouped = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, ahead) in &reached {
        let both = reached
            .iter()
            .filter(|(other, back)| ahead.contains(other) && back.contains(file));
        let group: BTreeSet<&PathBuf> = both.map(|(other, _)| *other).collect();
        if group.len() > 1 && !group.is_subset(&grouped) {
            circles.push(circle(edges, &group));
            grouped.extend(group);
        }
    }
    circles
}

fn circle(edges: &Edges, group: &BTreeSet<&PathBuf>) -> Circle {
    let of_group = edges.iter().filter(|(user, _)| group.contains(user));
    let imports = of_group.flat_map(|(user, used)| {
        let inside = used.iter().filter(|(used, _)| group.contains(used));
        inside.map(move |(used, path)| (user.clone(), used.clone(), path.clone()))
    });
    Circle {
        imports: imports.collect(),
    }
}

/// All files that a file uses, directly or not.
fn reach<'a>(edges: &'a Edges, from: &'a PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for used in edges.get(file).into_iter().flat_map(|used| used.keys()) {
            if reached.insert(used) {
                next.push(used);
            }
        }
    }
    reached
}
