//! `rule verify`: what a gateway that requires signatures would say of a rule's files.

use std::io::Write;

use super::args::VerifyArgs;
use super::error::ToolError;
use super::rule_harness;
use runtime::{Package, Trust};

/// Prints who has signed what.
pub(super) fn verify(args: &VerifyArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let trust = Trust::open(Some(&args.keys), true)?;
    let name = rule_harness::name(&args.component)?;
    let package = Package::read(&args.component, &name, &trust)?;
    if let (Some(manifest), Some(signer)) = (&package.manifest, &package.signer) {
        writeln!(
            out,
            "ok: {name} {}, revision {}, sha256 {:#}, signed by {signer}",
            manifest.version,
            manifest.revision,
            package.code.digest()
        )?;
    }
    Ok(())
}
