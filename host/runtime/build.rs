//! Builds the rules that the binary carries: the default one, for the router build its native code as well, and in the
//! full build the one for low-bandwidth Matrix.

#[cfg(feature = "router")]
#[path = "build/precompile.rs"]
mod precompile;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The rules that the binary carries.
#[cfg(feature = "router")]
const RULES: &[&str] = &["comatrix"];
#[cfg(not(feature = "router"))]
const RULES: &[&str] = &["comatrix", "msc3079"];

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for rule in RULES {
        let sources = xtask::guest::sources(rule, &workspace).map_err(|error| error.to_string())?;
        for source in sources {
            println!("cargo::rerun-if-changed={}", source.display());
        }
    }
    println!("cargo::rerun-if-env-changed=COMATRIX_GUEST_TOOLCHAIN");
    let runtime = runtime(&workspace.join("Cargo.lock"))?;
    println!("cargo::rustc-env=COMATRIX_RUNTIME={runtime}");
    for rule in RULES {
        xtask::guest::build(rule, &workspace, &out).map_err(|error| error.to_string())?;
    }
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
