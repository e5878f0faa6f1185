//! Collects the sources of the SDK, so that `comatrix-gateway rule new` can create a crate that builds without this
//! project.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for source in ["Cargo.lock", "guest/sdk", "wit"] {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    let sdk = sdk_files(
        &workspace
            .canonicalize()
            .map_err(|error| error.to_string())?,
    )?;
    let table = out.join("sdk_files.rs");
    fs::write(&table, sdk).map_err(|error| format!("{}: {error}", table.display()))
}

/// A Rust expression: the path of each file of the SDK in a new rule's folder, and its content.
fn sdk_files(workspace: &Path) -> Result<String, String> {
    let mut files = vec![
        (workspace.join("Cargo.lock"), "Cargo.lock".to_owned()),
        (
            workspace.join("guest/sdk/Cargo.toml"),
            "sdk/Cargo.toml".to_owned(),
        ),
    ];
    list(&workspace.join("guest/sdk/src"), "sdk/src", &mut files)?;
    list(&workspace.join("wit"), "sdk/wit", &mut files)?;
    let mut table = String::from("&[\n");
    for (file, path) in files {
        writeln!(table, "({path:?}, include_str!({file:?})),")
            .map_err(|error| error.to_string())?;
    }
    table.push(']');
    Ok(table)
}

/// Adds the files in `folder` and below, in a fixed order.
fn list(folder: &Path, path: &str, files: &mut Vec<(PathBuf, String)>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut entries: Vec<_> = entries
        .map_err(failed)?
        .iter()
        .map(fs::DirEntry::path)
        .collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("{path}/{name}");
        match entry.is_dir() {
            true => list(&entry, &path, files)?,
            false => files.push((entry, path)),
        }
    }
    Ok(())
}
