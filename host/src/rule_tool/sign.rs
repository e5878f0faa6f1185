//! `rule sign`: a detached signature of a manifest, with its component or native code in the same folder.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use super::args::SignArgs;
use super::error::ToolError;
use super::rule_harness;
use runtime::{
    MAX_KEY_FILE, MAX_MANIFEST, MAX_NATIVE, Manifest, ManifestError, PrivateKey, manifest_path,
    signature_path,
};
use store::file::{self, FileError, replace};

/// Signs only a manifest that a gateway would accept: one that matches the component in its folder.
pub(super) fn sign(args: &SignArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let key = read_key(&args.key)?;
    let content = file::read(&args.manifest, MAX_MANIFEST)?;
    let faulty = |fault| ToolError::Manifest {
        path: args.manifest.clone(),
        fault,
    };
    let manifest = Manifest::parse(&content).map_err(faulty)?;
    let component = component_path(&args.manifest).ok_or_else(|| {
        faulty(ManifestError::Format(
            "its file is not named NAME.rule.json".into(),
        ))
    })?;
    let name = &manifest.name;
    match manifest.native {
        None => manifest.check_component(name, &rule_harness::read_component(&component)?),
        Some(_) => {
            let native = file::read(&component, MAX_NATIVE)?;
            manifest.check_native(name, &native).map(drop)
        }
    }
    .map_err(faulty)?;
    let path = signature_path(&args.manifest);
    replace(&path, &key.sign(&content))?;
    writeln!(
        out,
        "{}: the signature of {} {}, revision {}, and its component; distribute it with both",
        path.display(),
        manifest.name,
        manifest.version,
        manifest.revision
    )?;
    Ok(())
}

/// The component of a manifest.
fn component_path(manifest: &Path) -> Option<PathBuf> {
    let name = manifest.file_name()?.to_str()?;
    let stem = name.strip_suffix(".rule.json")?;
    let component = match stem.ends_with(".cwasm") {
        true => manifest.with_file_name(stem),
        false => manifest.with_file_name(format!("{stem}.wasm")),
    };
    (manifest_path(&component) == manifest).then_some(component)
}

fn read_key(path: &Path) -> Result<PrivateKey, ToolError> {
    let metadata = fs::metadata(path).map_err(|cause| FileError::Read {
        path: path.to_owned(),
        cause,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(ToolError::OpenKey(path.to_owned()));
    }
    let pem = Zeroizing::new(file::read(path, MAX_KEY_FILE)?);
    PrivateKey::from_pem(&pem).map_err(|fault| ToolError::Key {
        path: path.to_owned(),
        fault,
    })
}
