//! The file of a component, and reading it with its manifest and signature.

use std::path::Path;

use crate::config::{Component, RuleSpec};
use runtime::{Package, PackageError, Trust};

/// The file to read.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The configured file.
    Configured,
    /// A file that an operator named.
    File {
        /// The file.
        path: &'a Path,
        /// Whether the operator wants to keep it even if it fails.
        keep: bool,
    },
}

impl Source<'_> {
    /// For messages.
    pub(super) fn shown(self, spec: &RuleSpec) -> String {
        let path = match self {
            Self::Configured => spec.component.file(),
            Self::File { path, .. } => Some(path),
        };
        path.map_or_else(
            || "this gateway itself".to_owned(),
            |path| contract::escaping::escaped(&path.display().to_string(), 200),
        )
    }
}

/// Reads component, manifest and signature, and checks that they belong together. The bytes that are read here are the
/// ones that are activated: no file is opened twice.
pub(super) fn read(
    spec: &RuleSpec,
    source: Source<'_>,
    trust: &Trust,
) -> Result<Package, PackageError> {
    let path = match (source, &spec.component) {
        (Source::Configured, Component::BuiltIn(rule)) => return Ok(Package::embedded(*rule)),
        (Source::Configured, Component::File(path)) => path,
        (Source::File { path, .. }, _) => path,
    };
    Package::read(path, &spec.name, &trust.requiring(spec.require_signature))
}
