//! `rule manifest`: the component's description and its author's vectors, as a file to sign.

use std::io::Write;

use super::args::ManifestArgs;
use super::error::ToolError;
use super::rule_harness::{self, RuleHarness};
use contract::Digest;
use runtime::self_test;
use runtime::{CONTRACT_VERSION, Manifest, manifest_path, signature_path};
use store::file::replace;

/// Writes the manifest beside the component, if the component passes its vectors.
pub(super) fn manifest(args: &ManifestArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let name = rule_harness::name(&args.component.component)?;
    let settings = rule_harness::settings(&args.component.config)?;
    let component = rule_harness::read_component(&args.component.component)?;
    let vectors = rule_harness::vectors(args.vectors.as_deref())?;
    let limits = args.component.size.limits();
    let headers = rule_harness::header_grants(&args.component.allow_header)?;
    let harness = RuleHarness::activate(&name, &component, &settings, limits, &headers)??;
    let revision = harness.revision;
    let path = manifest_path(&args.component.component);
    let manifest = Manifest {
        name,
        version: args
            .version
            .clone()
            .unwrap_or_else(|| args.revision.to_string()),
        revision: args.revision,
        contract: CONTRACT_VERSION.to_owned(),
        // Of the activated bytes: the file may have changed since.
        sha256: format!("{:#}", Digest::of(&component)),
        min_revision: args.min_revision,
        needs: revision.needs().to_vec(),
        native: None,
        vectors,
    };
    let content = manifest.to_bytes().map_err(|fault| ToolError::Manifest {
        path: path.clone(),
        fault,
    })?;
    let passed = self_test(&revision, &manifest.vectors)?;
    replace(&path, &content)?;
    let needs = manifest.needs.len();
    writeln!(
        out,
        "{}: {} {}, revision {}, {needs} needs, {passed} vectors; sign it with `comatrix-gateway rule sign`",
        path.display(),
        manifest.name,
        manifest.version,
        manifest.revision
    )?;
    let signature = signature_path(&path);
    if signature.exists() {
        let shown = signature.display();
        writeln!(out, "{shown} belongs to the previous manifest; sign again")?;
    }
    Ok(())
}
