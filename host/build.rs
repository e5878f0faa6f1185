//! Builds the default rule, for the router build its native code as well, and collects the sources of the SDK, so that the binary
//! carries what it needs of them.

#[cfg(feature = "router")]
#[path = "build/precompile.rs"]
mod precompile;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources =
        xtask::guest::sources("comatrix", &workspace).map_err(|error| error.to_string())?;
    for source in sources {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    println!("cargo::rerun-if-env-changed=COMATRIX_GUEST_TOOLCHAIN");
    let runtime = runtime(&workspace.join("Cargo.lock"))?;
    println!("cargo::rustc-env=COMATRIX_RUNTIME={runtime}");
    xtask::guest::build("comatrix", &workspace, &out).map_err(|error| error.to_string())?;
    #[cfg(feature = "router")]
    precompile::precompile(&out, &runtime)?;
    let sdk = sdk_files(
        &workspace
            .canonicalize()
            .map_err(|error| error.to_string())?,
    )?;
    let table = out.join("sdk_files.rs");
    fs::write(&table, sdk).map_err(|error| format!("{}: {error}", table.display()))
}

/// The version of wasmtime that this gateway is built with.
fn runtime(lock_file: &Path) -> Result<String, String> {
    let lock = fs::read_to_string(lock_file)
        .map_err(|error| format!("{}: {error}", lock_file.display()))?;
    let versions: Vec<&str> = lock
        .split("[[package]]\nname = \"wasmtime\"\nversion = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    match versions[..] {
        [version] => Ok(version.to_owned()),
        _ => Err(format!(
            "{} has wasmtime in the versions {versions:?}; compiler and runtime of rules must be of one",
            lock_file.display()
        )),
    }
}

/// A Rust expression: where each file of the SDK goes in a new rule's folder, and its content.
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

/// The files in `folder` and below, in a fixed order.
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
