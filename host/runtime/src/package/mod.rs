//! Reads a component or its native code once, with its manifest and signature, and verifies them. The gateway loads the
//! bytes that it has verified.

pub(crate) mod error;
pub(crate) mod manifest;
pub(crate) mod signature;
pub(crate) mod trust;

use std::path::{Path, PathBuf};

use super::engine::native::{MAX_NATIVE, NativeCode, is_native, looks_native};
use super::engine::native_statement::StatementError;
use super::engine::rule_binary::RuleBinary;
use crate::built_in::BuiltIn;
use error::PackageError;
use manifest::{MAX_MANIFEST, Manifest, ManifestError};
use signature::SIGNATURE_BYTES;
use store::file;
use trust::Trust;

/// Bytes of a component: a JavaScript engine in one is 12 MB.
pub const MAX_COMPONENT: usize = 32 << 20;

/// Replaces `.wasm` of a component's name, and follows `.cwasm` of native code's.
const MANIFEST: &str = ".rule.json";
/// Follows a manifest's name.
const SIGNATURE: &str = ".sig";

/// The content of a rule's files, verified.
#[derive(Clone, Debug)]
pub struct Package {
    /// The component or its native code.
    pub code: RuleBinary,
    /// The manifest; it is for this code.
    pub manifest: Option<Manifest>,
    /// The name of the key that has signed the manifest.
    pub signer: Option<String>,
    embedded: bool,
}

/// The kind of a file, by its name and first bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(feature = "compiler")]
    Component,
    Native,
}

impl Package {
    /// Reads `file`, a component or native code, and its manifest and signature if they are beside it.
    ///
    /// # Errors
    /// [`PackageError`]: a manifest must be for this rule and code; a signature must be by a trusted key if there are
    /// any keys; both must exist if `trust` requires them, and always for native code.
    pub fn read(file: &Path, name: &str, trust: &Trust) -> Result<Self, PackageError> {
        let failed = |cause| PackageError::File {
            rule: name.to_owned(),
            cause,
        };
        let manifest_path = manifest_path(file);
        let signature_path = signature_path(&manifest_path);
        let limit = if is_native(file) {
            MAX_NATIVE
        } else {
            MAX_COMPONENT
        };
        let content = file::read(file, limit).map_err(failed)?;
        let manifest = file::read_if_there(&manifest_path, MAX_MANIFEST).map_err(failed)?;
        let signature = file::read_if_there(&signature_path, MAX_MANIFEST).map_err(failed)?;
        // First, since the wrong kind of file is the most frequent mistake.
        let kind = kind(&content, file, name)?;
        let is_native = kind == Kind::Native;
        let trust = trust.requiring(is_native);
        let (paths, stated) = ((&*manifest_path, is_native), manifest.as_deref());
        let signer = signer(name, stated, signature, &trust, paths)?;
        let read = || {
            let manifest = stated.map(Manifest::parse).transpose()?;
            let code = code(content, kind, name, manifest.as_ref())?;
            Ok((code, manifest))
        };
        let (code, manifest) = read().map_err(|cause| PackageError::Manifest {
            rule: name.to_owned(),
            path: manifest_path.clone(),
            cause,
        })?;
        Ok(Self {
            code,
            manifest,
            signer,
            embedded: false,
        })
    }

    /// A rule that is part of the binary. It has no signature: a program that could alter it could also alter the
    /// check.
    #[must_use]
    pub fn embedded(rule: BuiltIn) -> Self {
        Self {
            code: RuleBinary::embedded(rule),
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

fn kind(content: &[u8], file: &Path, name: &str) -> Result<Kind, PackageError> {
    let (rule, path) = (name.to_owned(), file.to_owned());
    match (is_native(file), looks_native(content)) {
        (true, true) => Ok(Kind::Native),
        (true, false) => Err(PackageError::Foreign { rule, path }),
        #[cfg(feature = "compiler")]
        (false, _) => Ok(Kind::Component),
        #[cfg(not(feature = "compiler"))]
        (false, _) => Err(PackageError::NoCompiler { rule, path }),
    }
}

/// The content as a rule's binary, after its manifest was checked.
fn code(
    content: Vec<u8>,
    kind: Kind,
    name: &str,
    manifest: Option<&Manifest>,
) -> Result<RuleBinary, ManifestError> {
    match (kind, manifest) {
        #[cfg(feature = "compiler")]
        (Kind::Component, manifest) => {
            manifest.map_or(Ok(()), |manifest| manifest.check_component(name, &content))?;
            Ok(RuleBinary::Component(content))
        }
        // Not reached: native code without a manifest has no signature and was refused.
        (Kind::Native, None) => Err(StatementError::Missing.into()),
        (Kind::Native, Some(manifest)) => {
            let (component, statement) = manifest.check_native(name, &content)?;
            Ok(RuleBinary::Native(NativeCode::stated(
                content, component, statement,
            )))
        }
    }
}

/// The name of the key that has signed the manifest's bytes. They are verified before they are parsed.
fn signer(
    name: &str,
    manifest: Option<&[u8]>,
    signature: Option<Vec<u8>>,
    trust: &Trust,
    (manifest_path, is_native): (&Path, bool),
) -> Result<Option<String>, PackageError> {
    let rule = || name.to_owned();
    let path = signature_path(manifest_path);
    let unsigned = |path, command| PackageError::Unsigned {
        rule: rule(),
        path,
        command,
        is_native,
    };
    let (manifest, signature) = match (manifest, signature) {
        (None, Some(_)) => return Err(PackageError::Orphan { rule: rule(), path }),
        (None, None) if trust.is_required() => {
            let command = if is_native { "compile" } else { "manifest" };
            return Err(unsigned(manifest_path.to_owned(), command));
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
        None if trust.has_keys() || trust.is_required() => Err(PackageError::Signer {
            rule: rule(),
            path,
            manifest: manifest_path.to_owned(),
        }),
        signer => Ok(signer.map(str::to_owned)),
    }
}

/// The path of a component's manifest.
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
    file::suffixed(&stem, MANIFEST)
}

/// The path of a manifest's signature.
#[must_use]
pub fn signature_path(manifest: &Path) -> PathBuf {
    file::suffixed(manifest, SIGNATURE)
}
