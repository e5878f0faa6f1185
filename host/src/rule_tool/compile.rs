//! `rule compile`: native code ahead of time.

use std::io::Write;
use std::time::Instant;

use super::args::CompileArgs;
use super::desk::{grouped, read_component};
use super::error::ToolError;
use crate::rule::files::replace;
use crate::rule::{Engines, compile as compile_component};

/// Writes the native code of a component.
pub(super) fn compile(args: &CompileArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let component = read_component(&args.component)?;
    let engine = Engines::new()?.fit(&args.size.limits())?;
    let began = Instant::now();
    let native = compile_component(&engine, &component)?;
    let took = began.elapsed();
    let output = match &args.output {
        Some(path) => path.clone(),
        None => args.component.with_extension("cwasm"),
    };
    replace(&output, &native)?;
    writeln!(
        out,
        "{}: {} bytes, of {} bytes in {:.1} ms\n\
         It is native code for this processor and this version of the gateway, and nothing in it is checked when it runs: take \
         such a file only from this installation, or under a signature that you trust.",
        output.display(),
        grouped(native.len()),
        grouped(component.len()),
        took.as_secs_f64() * 1e3
    )?;
    Ok(())
}
