//! The packages and files of this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The output of `cargo metadata`.
pub struct Workspace {
    /// The repository.
    pub folder: PathBuf,
    pub packages: Vec<Package>,
}

/// A package and the packages of this repository that it uses.
pub struct Package {
    pub name: String,
    /// Optional and build dependencies included, dev-dependencies not.
    pub uses: Vec<String>,
    folder: PathBuf,
    /// The first files of its library and its programs.
    roots: Vec<PathBuf>,
}

impl Workspace {
    pub fn read() -> Workspace {
        let output = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .output()
            .expect("cargo metadata starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata: {error}");
        let metadata: Value =
            serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
        Workspace {
            folder: PathBuf::from(text(&metadata["workspace_root"])),
            packages: items(&metadata["packages"]).map(Package::of).collect(),
        }
    }

    /// The first file of every library and program under `host` and `guest`.
    pub fn crate_roots(&self) -> Vec<PathBuf> {
        let below = ["host", "guest"].map(|name| self.folder.join(name));
        let packages = self.packages.iter();
        let packages =
            packages.filter(|one| below.iter().any(|folder| one.folder.starts_with(folder)));
        packages.flat_map(|one| one.roots.clone()).collect()
    }

    /// The files of the source: a machine that runs the tests need not have git.
    pub fn source_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(&self.folder, &mut files);
        files
    }
}

/// Adds the files below a folder, but none that a build makes (`.gitignore` has the same names).
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    const MADE: [&str; 6] = [
        ".git",
        "target",
        "__pycache__",
        "node_modules",
        "artifacts",
        "corpus",
    ];
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| MADE.contains(&name)) || path.is_symlink() {
            continue;
        }
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}

impl Package {
    fn of(package: &Value) -> Package {
        let manifest = Path::new(text(&package["manifest_path"]));
        let uses = items(&package["dependencies"])
            .filter(|one| !one["path"].is_null() && one["kind"] != "dev")
            .map(|one| text(&one["name"]).to_owned());
        let roots = items(&package["targets"])
            .filter(|target| {
                !items(&target["kind"]).any(|kind| kind == "test" || kind == "custom-build")
            })
            .map(|target| PathBuf::from(text(&target["src_path"])));
        Package {
            name: text(&package["name"]).to_owned(),
            uses: uses.collect(),
            folder: manifest
                .parent()
                .expect("a manifest is in a folder")
                .to_owned(),
            roots: roots.collect(),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has a string here")
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
