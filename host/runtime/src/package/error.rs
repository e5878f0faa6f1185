//! Errors of loading the files of a rule, for the operator: the cause and the remedy.

use std::path::PathBuf;

use super::manifest::ManifestError;
use super::signature::SIGNATURE_BYTES;
use crate::engine::target::Target;
use store::file::FileError;

/// The files of a rule are not loaded.
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
    /// The manifest is wrong, or for another component.
    #[error("rule {rule}: {}: {cause}", path.display())]
    Manifest {
        /// The rule's name.
        rule: String,
        /// The manifest.
        path: PathBuf,
        /// The reason and the remedy.
        cause: ManifestError,
    },
    /// It is WebAssembly, and this gateway has no compiler.
    #[error(
        "rule {rule}: {} is WebAssembly, and this build of the gateway has no compiler: compile it to a .cwasm with \
         `comatrix-gateway rule compile --target {}` on a machine with the full build",
        path.display(), own_target()
    )]
    NoCompiler {
        /// The rule's name.
        rule: String,
        /// The component.
        path: PathBuf,
    },
    /// It has the name of native code, and other content.
    #[error(
        "rule {rule}: {} is no native code of a rule; compile the rule with `comatrix-gateway rule compile`",
        path.display()
    )]
    Foreign {
        /// The rule's name.
        rule: String,
        /// The file.
        path: PathBuf,
    },
    /// A signature is required and missing.
    #[error(
        "rule {rule}: {} does not exist, and a signature is required{}; get it from the rule's author, or make it \
         with `comatrix-gateway rule {command}`",
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
    /// There is a signature without its manifest.
    #[error(
        "rule {rule}: {} exists, but not the manifest that it signs; fetch both again, or remove the signature",
        path.display()
    )]
    Orphan {
        /// The rule's name.
        rule: String,
        /// The signature.
        path: PathBuf,
    },
    /// It is no signature.
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
        /// Its length in bytes.
        length: usize,
    },
    /// It is by no trusted key, or for another manifest.
    #[error(
        "rule {rule}: {} is not a signature of a trusted key for {}: the manifest was altered, or put its signer's \
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

/// The name of this machine's target in a command.
fn own_target() -> &'static str {
    Target::own().map_or("TARGET", Target::name)
}
