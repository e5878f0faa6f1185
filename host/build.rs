//! Builds the default rule, so that the binary carries it.

use std::env;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for source in xtask::guest::sources(&workspace) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    println!("cargo::rerun-if-env-changed=COMATRIX_GUEST_TOOLCHAIN");
    xtask::guest::build("comatrix", &workspace, &out).map_err(|error| error.to_string())?;
    Ok(())
}
