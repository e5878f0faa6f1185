//! A component with its manifest and signature, read once. What was verified is what is loaded.

use std::path::{Path, PathBuf};

use super::files::{self, FileError};
use super::manifest::{MAX_MANIFEST, Manifest, ManifestError};
use super::signature::SIGNATURE_BYTES;
use super::trust::Trust;

/// Bytes of a component: a JavaScript engine in one is 12 MB.
pub const MAX_COMPONENT: usize = 32 << 20;

/// What stands after a component's name, in place of `.wasm`.
const MANIFEST: &str = ".rule.json";
/// What stands after a manifest's name.
const SIGNATURE: &str = ".sig";

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
    /// A signature is required.
    #[error(
        "rule {rule}: signatures are required, and {} is not there; get it from the rule's author, or make it with `comatrix-gateway rule {command}`",
        path.display()
    )]
    Unsigned {
        /// The rule's name.
        rule: String,
        /// The file that is missing.
        path: PathBuf,
        /// The command that makes it.
        command: &'static str,
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
        "rule {rule}: {} has {length} bytes, a signature has {SIGNATURE_BYTES}; fetch it again, or sign with `comatrix-gateway rule sign`",
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
        "rule {rule}: {} is not the signature of a known key for {}: the manifest was altered, or put its signer's .pub file into the folder of keys if you trust it",
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

/// The content of a rule's files, verified.
#[derive(Clone, Debug)]
pub struct Package {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// What its author states; it fits the component.
    pub manifest: Option<Manifest>,
    /// The name of the key that has signed the manifest.
    pub signer: Option<String>,
    embedded: bool,
}

impl Package {
    /// Reads `component` and, where they are there, its manifest and signature beside it.
    ///
    /// # Errors
    /// [`PackageError`]: a manifest that is there must fit rule and component; a signature that is there must be of a known key
    /// if there are any; both must be there if `trust` requires it.
    pub fn read(component: &Path, name: &str, trust: &Trust) -> Result<Self, PackageError> {
        let file = |cause| PackageError::File {
            rule: name.to_owned(),
            cause,
        };
        let manifest_path = manifest_path(component);
        let signature_path = signature_path(&manifest_path);
        let component = files::read(component, MAX_COMPONENT).map_err(file)?;
        let manifest = files::read_if_there(&manifest_path, MAX_MANIFEST).map_err(file)?;
        let signature = files::read_if_there(&signature_path, MAX_MANIFEST).map_err(file)?;
        let signer = signer(name, manifest.as_deref(), signature, trust, &manifest_path)?;
        let manifest = manifest
            .map(|content| {
                let manifest = Manifest::parse(&content)?;
                manifest.check_component(name, &component)?;
                Ok(manifest)
            })
            .transpose()
            .map_err(|cause| PackageError::Manifest {
                rule: name.to_owned(),
                path: manifest_path,
                cause,
            })?;
        Ok(Self {
            component,
            manifest,
            signer,
            embedded: false,
        })
    }

    /// The rule that is part of the binary: whoever could alter it could alter the check too.
    #[must_use]
    pub fn embedded(component: &[u8]) -> Self {
        Self {
            component: component.to_vec(),
            manifest: None,
            signer: None,
            embedded: true,
        }
    }

    /// Whether it is part of the binary.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedded
    }
}

/// Who has signed the manifest's bytes, before anything in them is looked at.
fn signer(
    name: &str,
    manifest: Option<&[u8]>,
    signature: Option<Vec<u8>>,
    trust: &Trust,
    manifest_path: &Path,
) -> Result<Option<String>, PackageError> {
    let rule = || name.to_owned();
    let path = signature_path(manifest_path);
    let unsigned = |path, command| PackageError::Unsigned {
        rule: rule(),
        path,
        command,
    };
    let (manifest, signature) = match (manifest, signature) {
        (None, Some(_)) => return Err(PackageError::Orphan { rule: rule(), path }),
        (None, None) if trust.is_required() => {
            return Err(unsigned(manifest_path.to_owned(), "manifest"));
        }
        (Some(_), None) if trust.is_required() => return Err(unsigned(path, "sign")),
        (_, None) => return Ok(None),
        (Some(manifest), Some(signature)) => (manifest, signature),
    };
    let Ok(signature) = <[u8; SIGNATURE_BYTES]>::try_from(signature.as_slice()) else {
        return Err(PackageError::Signature {
            rule: rule(),
            path,
            length: signature.len(),
        });
    };
    match trust.signer(manifest, &signature) {
        None if trust.has_keys() => Err(PackageError::Signer {
            rule: rule(),
            path,
            manifest: manifest_path.to_owned(),
        }),
        signer => Ok(signer.map(str::to_owned)),
    }
}

/// Where a component's manifest stands.
#[must_use]
pub fn manifest_path(component: &Path) -> PathBuf {
    let is_wasm = component
        .extension()
        .is_some_and(|extension| extension == "wasm");
    let stem = if is_wasm {
        component.with_extension("")
    } else {
        component.to_owned()
    };
    files::suffixed(&stem, MANIFEST)
}

/// Where a manifest's signature stands.
#[must_use]
pub fn signature_path(manifest: &Path) -> PathBuf {
    files::suffixed(manifest, SIGNATURE)
}
