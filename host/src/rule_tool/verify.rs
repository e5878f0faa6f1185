//! `rule verify`: checks a rule's files as a gateway does that requires signatures.

use std::io::Write;

use super::args::VerifyArgs;
use super::error::ToolError;
use super::rule_harness;
use runtime::{Package, Trust};

/// Prints the rule and its signer.
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
