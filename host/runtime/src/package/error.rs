//! Why the files of a rule are not loaded, for the operator: what happened, and what to do.

use std::path::PathBuf;

use super::manifest::ManifestError;
use super::signature::SIGNATURE_BYTES;
use crate::engine::target::Target;
use store::file::FileError;

/// Why the files of a rule are not loaded.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// One of them cannot be read.
    #[error("rule {rule}: {cause}")]
    File {
        /// The rule's name.
        rule: String,
        /// The reason and the remedy.
        cause: FileError,
    },
    /// The manifest is not right, or not for this component.
    #[error("rule {rule}: {}: {cause}", path.display())]
    Manifest {
        /// The rule's name.
        rule: String,
        /// The manifest.
        path: PathBuf,
        /// The reason and the remedy.
        cause: ManifestError,
    },
    /// Only a compiler could make something of it.
    #[error(
        "rule {rule}: {} is WebAssembly, and this build of the gateway has no compiler: make a .cwasm of it with \
         `comatrix-gateway rule compile --target {}` on a machine with the full build",
        path.display(), own_target()
    )]
    NoCompiler {
        /// The rule's name.
        rule: String,
        /// The component.
        path: PathBuf,
    },
    /// Something else under the name of native code.
    #[error(
        "rule {rule}: {} is no native code of a rule; make it with `comatrix-gateway rule compile`",
        path.display()
    )]
    Foreign {
        /// The rule's name.
        rule: String,
        /// The file.
        path: PathBuf,
    },
    /// A signature is required.
    #[error(
        "rule {rule}: {} is not there, and a signature is required{}; get it from the rule's author, or make it with \
         `comatrix-gateway rule {command}`",
        path.display(), if *is_native { ", as always for native code" } else { "" }
    )]
    Unsigned {
        /// The rule's name.
        rule: String,
        /// The file that is missing.
        path: PathBuf,
        /// The command that makes it.
        command: &'static str,
        /// Whether the rule is native code.
        is_native: bool,
    },
    /// There is a signature of a manifest that is gone.
    #[error(
        "rule {rule}: {} is there, but not the manifest that it signs; fetch both again, or remove the signature",
        path.display()
    )]
    Orphan {
        /// The rule's name.
        rule: String,
        /// The signature.
        path: PathBuf,
    },
    /// It cannot be a signature.
    #[error(
        "rule {rule}: {} has {length} bytes, a signature has {SIGNATURE_BYTES}; fetch it again, or sign with \
         `comatrix-gateway rule sign`",
        path.display()
    )]
    Signature {
        /// The rule's name.
        rule: String,
        /// The signature.
        path: PathBuf,
        /// Its bytes.
        length: usize,
    },
    /// No known key has made it for this manifest.
    #[error(
        "rule {rule}: {} is not the signature of a known key for {}: the manifest was altered, or put its signer's \
         .pub file into the folder of keys ([rules] keys) if you trust it",
        path.display(), manifest.display()
    )]
    Signer {
        /// The rule's name.
        rule: String,
        /// The signature.
        path: PathBuf,
        /// The manifest.
        manifest: PathBuf,
    },
}

/// The word for this machine in a command.
fn own_target() -> &'static str {
    Target::own().map_or("TARGET", Target::name)
}
