//! Compiles the default rule to native code for the gateway's target, since a gateway for routers has no compiler.

// The settings of the gateway's own engine.
#[allow(dead_code)]
#[path = "../src/engine/config.rs"]
mod engine_config;

use std::env;
use std::fs;
use std::path::Path;

use engine_config::{AARCH64, PULLEY32, Size, X86_64};
use sha2::{Digest, Sha256};

/// Writes `comatrix.cwasm` and the digest of its component, `comatrix.sha256`, beside `comatrix.wasm`.
pub fn precompile(out: &Path, runtime: &str) -> Result<(), String> {
    let rule = out.join("comatrix.wasm");
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", rule.display());
    let component = fs::read(&rule).map_err(|error| failed(&error))?;
    let native = || {
        let mut config = engine_config::config(Size::Small, runtime);
        config.target(target()?)?;
        wasmtime::Engine::new(&config)?.precompile_component(&component)
    };
    let native = native().map_err(|error| failed(&format!("{error:#}")))?;
    fs::write(out.join("comatrix.cwasm"), native).map_err(|error| failed(&error))?;
    fs::write(out.join("comatrix.sha256"), Sha256::digest(&component))
        .map_err(|error| failed(&error))
}

/// The same as `Target::own` in the gateway.
fn target() -> wasmtime::Result<&'static str> {
    let of_cargo = |name| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    match (
        &*of_cargo("ARCH"),
        &*of_cargo("POINTER_WIDTH"),
        &*of_cargo("ENDIAN"),
    ) {
        ("x86_64", "64", _) => Ok(X86_64),
        ("aarch64", "64", "little") => Ok(AARCH64),
        (_, "32", "little") => Ok(PULLEY32),
        (arch, ..) => Err(wasmtime::format_err!(
            "there is no gateway for routers on {arch}: its rules would have to be interpreted, and that is not \
             tested; build the full gateway"
        )),
    }
}
