//! Builds the default rule, and for the router build its native code as well, so that the binary carries it.

#[cfg(feature = "router")]
#[path = "build/precompile.rs"]
mod precompile;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
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
    Ok(())
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
