//! Component, manifest and signature as files: the ones that are loaded, and the refusals with their remedies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use contract::Digest;
use runtime::{
    CONTRACT_VERSION, Manifest, Package, PrivateKey, RuleBinary, Trust, manifest_path,
    signature_path,
};

use crate::rule_text::RuleText;
use crate::scratch;

/// The need of [`RuleText`].
pub const NEED: &str = "GET none standard /needed";

/// A signed rule `mine` and the folder of its signer's key.
pub struct Files {
    component: PathBuf,
    manifest: PathBuf,
    signature: PathBuf,
    pub keys: PathBuf,
    pub key: PrivateKey,
}

pub fn manifest_of(component: &[u8]) -> Manifest {
    Manifest {
        name: "mine".into(),
        version: "1.2".into(),
        revision: 3,
        contract: CONTRACT_VERSION.into(),
        sha256: format!("{:#}", Digest::of(component)),
        min_revision: 2,
        needs: vec![NEED.parse().unwrap()],
        native: None,
        vectors: vec![],
    }
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

impl Files {
    pub fn new(test: &str) -> Self {
        let folder = scratch::folder(test);
        let (component, keys) = (folder.join("mine.wasm"), folder.join("keys"));
        let manifest = manifest_path(&component);
        let signature = signature_path(&manifest);
        let key = PrivateKey::generate().unwrap();
        fs::create_dir(&keys).unwrap();
        set_mode(&keys, 0o755);
        fs::write(keys.join("ann.pub"), key.public().to_pem().unwrap()).unwrap();
        set_mode(&keys.join("ann.pub"), 0o644);
        fs::write(&component, RuleText::new().component()).unwrap();
        let files = Self {
            component,
            manifest,
            signature,
            keys,
            key,
        };
        files.state(&manifest_of(&fs::read(&files.component).unwrap()));
        files
    }

    /// Writes and signs a manifest.
    fn state(&self, manifest: &Manifest) {
        self.sign(&serde_json::to_vec(manifest).unwrap());
    }

    fn sign(&self, manifest: &[u8]) {
        fs::write(&self.manifest, manifest).unwrap();
        fs::write(&self.signature, self.key.sign(manifest)).unwrap();
    }

    pub fn trust(&self, required: bool) -> Trust {
        Trust::open(Some(&self.keys), required).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(&self, trust: &Trust) -> String {
        match Package::read(&self.component, "mine", trust) {
            Ok(_) => panic!("it was loaded"),
            Err(error) => one_line(&error),
        }
    }
}

pub fn one_line(error: &dyn std::fmt::Display) -> String {
    let said = error.to_string();
    assert!(!said.contains('\n') && said.len() < 1000, "{said}");
    said
}

#[test]
fn the_signed_bytes_are_loaded_from_memory_and_the_signer_is_named() {
    let files = Files::new("package-signed");
    let package = Package::read(&files.component, "mine", &files.trust(true)).unwrap();
    let RuleBinary::Component(component) = package.code else {
        panic!("it is no native code")
    };
    assert_eq!(component, fs::read(&files.component).unwrap());
    assert_eq!(package.signer.as_deref(), Some("ann"));
    let manifest = package.manifest.unwrap();
    assert_eq!((manifest.revision, manifest.min_revision), (3, 2));
}

#[test]
fn without_keys_a_rule_may_come_with_and_without_manifest_and_signature() {
    let files = Files::new("package-plain");
    let nobody = Trust::open(None, false).unwrap();
    let read = || Package::read(&files.component, "mine", &nobody).unwrap();
    assert!(read().manifest.is_some() && read().signer.is_none());
    fs::remove_file(&files.signature).unwrap();
    assert!(read().manifest.is_some());
    fs::remove_file(&files.manifest).unwrap();
    assert!(read().manifest.is_none());
}

type Alteration = (&'static str, fn(&Files), &'static str);

/// Packages that must never be loaded where a signature is required, and a word of the remedy.
const ALTERATIONS: &[Alteration] = &[
    (
        "altered component",
        |files| append(&files.component, b"\0"),
        "fetch both again",
    ),
    (
        "another component",
        |files| fs::write(&files.component, b"other").unwrap(),
        "SHA-256",
    ),
    (
        "altered manifest",
        |files| append(&files.manifest, b" "),
        "folder of keys",
    ),
    (
        "altered signature",
        |files| flip(&files.signature),
        "folder of keys",
    ),
    (
        "wrong key",
        |files| {
            let signature = PrivateKey::generate()
                .unwrap()
                .sign(&fs::read(&files.manifest).unwrap());
            fs::write(&files.signature, signature).unwrap();
        },
        "put its signer's .pub file",
    ),
    (
        "truncated signature",
        |files| fs::write(&files.signature, [7; 63]).unwrap(),
        "has 63 bytes, a signature has 64",
    ),
    (
        "empty signature",
        |files| fs::write(&files.signature, []).unwrap(),
        "rule sign",
    ),
    (
        "no signature",
        |files| fs::remove_file(&files.signature).unwrap(),
        "rule sign",
    ),
    (
        "no manifest",
        |files| {
            fs::remove_file(&files.manifest).unwrap();
            fs::remove_file(&files.signature).unwrap();
        },
        "rule manifest",
    ),
    (
        "signature alone",
        |files| fs::remove_file(&files.manifest).unwrap(),
        "fetch both again",
    ),
    (
        "no component",
        |files| fs::remove_file(&files.component).unwrap(),
        "check the path",
    ),
    (
        "a folder",
        |files| {
            fs::remove_file(&files.component).unwrap();
            fs::create_dir(&files.component).unwrap();
        },
        "not a file",
    ),
    (
        "another rule's",
        |files| files.stated(|manifest| manifest.name = "other".into()),
        "under its own name",
    ),
    (
        "another contract",
        |files| files.stated(|manifest| manifest.contract = "0.1.0".into()),
        "for this contract",
    ),
    (
        "no digest",
        |files| files.stated(|manifest| manifest.sha256 = "abc".into()),
        "64 hexadecimal digits",
    ),
    (
        "unsafe rollback",
        |files| files.stated(|manifest| manifest.min_revision = 4),
        "above its revision, 3",
    ),
    (
        "unknown field",
        |files| files.field("\"trusted\": true"),
        "unknown field `trusted`",
    ),
    (
        "field twice",
        |files| files.field("\"revision\": 9"),
        "duplicate field `revision`",
    ),
    ("no JSON", |files| files.sign(b"{"), "rule manifest"),
    ("empty manifest", |files| files.sign(b""), "rule manifest"),
    (
        "large manifest",
        |files| files.sign(&vec![b' '; (1 << 20) + 1]),
        "more than 1048576 bytes",
    ),
];

fn append(path: &Path, bytes: &[u8]) {
    fs::write(path, [&fs::read(path).unwrap(), bytes].concat()).unwrap();
}

fn flip(path: &Path) {
    let mut content = fs::read(path).unwrap();
    content[5] ^= 1;
    fs::write(path, content).unwrap();
}

impl Files {
    /// Signs another statement.
    fn stated(&self, change: fn(&mut Manifest)) {
        let mut manifest = manifest_of(&fs::read(&self.component).unwrap());
        change(&mut manifest);
        self.state(&manifest);
    }

    /// Signs a manifest with one more field.
    fn field(&self, field: &str) {
        let text = fs::read_to_string(&self.manifest).unwrap();
        let text = text.strip_suffix('}').unwrap();
        self.sign(format!("{text}, {field}}}").as_bytes());
    }
}

#[test]
fn files_that_are_altered_missing_or_of_another_rule_are_refused_with_the_remedy() {
    for (what, alter, remedy) in ALTERATIONS {
        let files = Files::new("package-altered");
        alter(&files);
        let said = files.refused(&files.trust(true));
        assert!(
            said.starts_with("rule mine: ") && said.contains(remedy),
            "{what}: {said}"
        );
    }
}

#[test]
fn a_signature_of_an_untrusted_key_is_refused_even_if_none_is_required() {
    let files = Files::new("package-unknown");
    flip(&files.signature);
    let said = files.refused(&files.trust(false));
    assert!(said.contains("not a signature of a trusted key"), "{said}");
    fs::remove_file(&files.signature).unwrap();
    let package = Package::read(&files.component, "mine", &files.trust(false)).unwrap();
    assert!(package.manifest.is_some() && package.signer.is_none());
}
