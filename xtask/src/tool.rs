//! Programs that commands need.

use std::path::PathBuf;

use comatrix_rule_build::version::Version;

/// A program that commands need.
#[derive(Debug)]
pub struct Tool {
    /// Its names, the preferred one first; any one of them is enough.
    pub programs: &'static [&'static str],
    /// The arguments that make it print its version.
    pub version_arguments: &'static [&'static str],
    /// The text directly before the version in its output.
    pub version_prefix: &'static str,
    /// The oldest version that works.
    pub minimum: &'static [u32],
    /// Why an older version does not.
    pub reason: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// A tool on this machine, with a version that is enough.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its file.
    pub file: PathBuf,
    /// Its version.
    pub version: Version,
}

impl Tool {
    /// Its name; of several, the preferred one.
    pub fn name(&self) -> &'static str {
        self.programs.first().copied().unwrap_or_default()
    }

    /// The oldest version that works.
    pub fn minimum_version(&self) -> Version {
        Version::new(self.minimum)
    }
}
