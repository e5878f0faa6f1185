//! `rule compile`: native code for gateways without a compiler, and a manifest to sign.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::args::CompileArgs;
use super::error::ToolError;
use super::rule_harness::{self, grouped, read_component};
use runtime::compile as compile_component;
use runtime::{MAX_MANIFEST, Manifest, NativeStatement, NativeTarget, manifest_path};
use store::file::{self, replace};

/// Writes the native code of a component, and beside it the component's manifest with the digest of the native code.
pub(super) fn compile(args: &CompileArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let component = read_component(&args.component)?;
    let target = args.target.or(NativeTarget::own());
    let target = target.ok_or(ToolError::NoTarget)?;
    let manifest = manifest(&args.component, &component)?;
    let began = Instant::now();
    let native = compile_component(target, &args.size.limits(), &component)?;
    let took = began.elapsed();
    let output = match &args.output {
        Some(path) => path.clone(),
        None => args.component.with_extension("cwasm"),
    };
    replace(&output, &native)?;
    writeln!(
        out,
        "{}: {} bytes for {target}, of {} bytes in {:.1} ms",
        output.display(),
        grouped(native.len()),
        grouped(component.len()),
        took.as_secs_f64() * 1e3
    )?;
    let Some(mut manifest) = manifest else {
        writeln!(
            out,
            "{0} has no manifest, and a gateway accepts native code only with a signed one: run \
             `comatrix-gateway rule manifest {0}`, then repeat this command.",
            args.component.display()
        )?;
        return Ok(());
    };
    manifest.native = Some(NativeStatement::of(&native, target));
    let path = manifest_path(&output);
    let content = manifest.to_bytes().map_err(|fault| ToolError::Manifest {
        path: path.clone(),
        fault,
    })?;
    replace(&path, &content)?;
    writeln!(
        out,
        "{0}: its manifest. Nothing checks native code when it runs, so a gateway accepts it only with the signature \
         of a trusted key: `comatrix-gateway rule sign --key NAME.key {0}`",
        path.display()
    )?;
    Ok(())
}

/// The component's own manifest, if it has one.
fn manifest(file: &Path, component: &[u8]) -> Result<Option<Manifest>, ToolError> {
    let path = manifest_path(file);
    let Some(content) = file::read_if_there(&path, MAX_MANIFEST)? else {
        return Ok(None);
    };
    let name = rule_harness::name(file)?;
    let read = || {
        let manifest = Manifest::parse(&content)?;
        manifest.check_component(&name, component)?;
        Ok(manifest)
    };
    let manifest = read().map_err(|fault| ToolError::Manifest { path, fault })?;
    Ok(Some(manifest))
}
