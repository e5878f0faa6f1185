//! Rules as native code: files that serve, and files that are refused before a byte of them is run.

use std::fs;
use std::path::{Path, PathBuf};

use contract::Digest;
use gateway::config::Component;
use gateway::control::Reply;
use gateway::rule_manager::ControlRequest;
use runtime::compile;
use runtime::{
    Manifest, NativeStatement, NativeTarget, PrivateKey, RuleLimits, Trust, manifest_path,
    signature_path,
};

use crate::rule_package::{manifest_of, set_mode};
use crate::scratch;
use crate::stage::{Stage, saying};
use crate::swapping::refusal;

/// Native code for the rule `a` that says "native", signed by ann, and ann's key.
struct Files {
    component: Vec<u8>,
    native: PathBuf,
    manifest: PathBuf,
    keys: PathBuf,
    key: PrivateKey,
}

fn own() -> NativeTarget {
    NativeTarget::own().expect("this machine can run rules")
}

fn foreign() -> NativeTarget {
    match own() {
        NativeTarget::Aarch64 => NativeTarget::X86_64,
        _ => NativeTarget::Aarch64,
    }
}

impl Files {
    fn new(folder: &Path) -> Self {
        let (native, keys) = (folder.join("new.cwasm"), folder.join("keys"));
        let key = PrivateKey::generate().unwrap();
        fs::create_dir_all(&keys).unwrap();
        set_mode(&keys, 0o755);
        fs::write(keys.join("ann.pub"), key.public().to_pem().unwrap()).unwrap();
        set_mode(&keys.join("ann.pub"), 0o644);
        let files = Self {
            component: saying("native"),
            manifest: manifest_path(&native),
            native,
            keys,
            key,
        };
        files.compiled(own(), RuleLimits::default(), |_| {});
        files
    }

    /// Compiles, states and signs; `change` alters the statement before it is signed.
    fn compiled(&self, target: NativeTarget, limits: RuleLimits, change: fn(&mut Manifest)) {
        let native = compile(target, &limits, &self.component).unwrap();
        let mut manifest = manifest_of(&self.component);
        manifest.name = "a".into();
        manifest.native = Some(NativeStatement::of(&native, target));
        change(&mut manifest);
        fs::write(&self.native, native).unwrap();
        self.state(&manifest);
    }

    fn stated(&self, change: fn(&mut Manifest)) {
        self.compiled(own(), RuleLimits::default(), change);
    }

    fn state(&self, manifest: &Manifest) {
        let content = serde_json::to_vec(manifest).unwrap();
        fs::write(&self.manifest, &content).unwrap();
        self.sign(&self.key, &content);
    }

    fn sign(&self, key: &PrivateKey, content: &[u8]) {
        fs::write(signature_path(&self.manifest), key.sign(content)).unwrap();
    }

    fn alter(&self, change: fn(&mut Vec<u8>)) {
        let mut content = fs::read(&self.native).unwrap();
        change(&mut content);
        fs::write(&self.native, content).unwrap();
    }

    fn trust(&self) -> Trust {
        Trust::open(Some(&self.keys), false).unwrap_or_else(|error| panic!("{error}"))
    }

    async fn swap(&self, stage: &Stage) -> Reply {
        let (rule, file) = ("a".to_owned(), self.native.clone());
        stage
            .control(ControlRequest::Swap {
                rule,
                file,
                keep: false,
            })
            .await
    }
}

#[tokio::test]
async fn signed_native_code_serves_under_its_components_digest_and_is_rolled_back_like_any_other() {
    let files = Files::new(&scratch::folder("native-serves-files"));
    let rules = [("a", saying("one"))];
    let stage = Stage::trusting(files.trust(), "native-serves", &rules, |_| {});
    let reply = files.swap(&stage).await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    assert_eq!(stage.test("a").await, "native");
    let status = stage.status("a").await;
    let digest = format!("{:#}", Digest::of(&files.component));
    assert_eq!(status.revision.as_ref(), Some(&digest));
    assert_eq!((status.signer.as_deref(), status.number), (Some("ann"), 3));
    // Its manifest asks for revision 2 or later, and the component before it has none.
    let back = refusal(
        stage
            .control(ControlRequest::Rollback { rule: "a".into() })
            .await,
    );
    assert!(back.contains("min_revision"), "{back}");
}

#[tokio::test]
async fn native_code_that_takes_its_files_place_serves_from_then_on() {
    let folder = scratch::folder("native-configured-files");
    let files = Files::new(&folder);
    let bob = PrivateKey::generate().unwrap();
    let public = files.keys.join("bob.pub");
    fs::write(&public, bob.public().to_pem().unwrap()).unwrap();
    set_mode(&public, 0o644);
    let rules = [("a", saying("unused"))];
    let stage = Stage::trusting(files.trust(), "native-configured", &rules, |spec| {
        spec.component = Component::File(folder.join("new.cwasm"));
    });
    assert_eq!(stage.test("a").await, "native");
    let newer = Files {
        component: saying("newer"),
        ..files
    };
    newer.stated(|manifest| manifest.revision = 4);
    stage.reload().await;
    assert_eq!(stage.test("a").await, "newer");
    // The same files under another's signature are not the same.
    newer.sign(&bob, &fs::read(&newer.manifest).unwrap());
    stage.reload().await;
    assert_eq!(stage.status("a").await.signer.as_deref(), Some("bob"));
}

type Fault = (&'static str, fn(&Files), &'static str, &'static str);

/// The change to the files, the step that notices it, and a part of the one log line.
const FAULTS: &[Fault] = &[
    (
        "truncated",
        |files| files.alter(|native| native.truncate(native.len() / 2)),
        "verify",
        "it is truncated; copy it again",
    ),
    (
        "without its last byte",
        |files| files.alter(|native| native.truncate(native.len() - 1)),
        "verify",
        "it is truncated; copy it again",
    ),
    (
        "empty",
        |files| files.alter(Vec::clear),
        "verify",
        "no native code of a rule; compile the rule with `comatrix-gateway rule compile`",
    ),
    (
        "another program",
        |files| {
            fs::copy("/bin/sh", &files.native).unwrap();
        },
        "verify",
        "no native code of a rule",
    ),
    (
        "WebAssembly under its name",
        |files| fs::write(&files.native, &files.component).unwrap(),
        "verify",
        "no native code of a rule",
    ),
    (
        "one bit altered",
        |files| files.alter(|native| native[5000] ^= 1),
        "verify",
        "SHA-256",
    ),
    (
        "unsigned",
        |files| fs::remove_file(signature_path(&files.manifest)).unwrap(),
        "verify",
        "a signature is required, as always for native code; get it from the rule's author, or make it with \
         `comatrix-gateway rule sign`",
    ),
    (
        "without a manifest",
        |files| {
            fs::remove_file(signature_path(&files.manifest)).unwrap();
            fs::remove_file(&files.manifest).unwrap();
        },
        "verify",
        "comatrix-gateway rule compile",
    ),
    (
        "of a key that nobody trusts",
        |files| {
            let manifest = fs::read(&files.manifest).unwrap();
            files.sign(&PrivateKey::generate().unwrap(), &manifest);
        },
        "verify",
        "put its signer's .pub file into the folder of keys ([rules] keys)",
    ),
    (
        "altered manifest",
        |files| {
            let mut manifest = fs::read(&files.manifest).unwrap();
            manifest.push(b' ');
            fs::write(&files.manifest, manifest).unwrap();
        },
        "verify",
        "not a signature of a trusted key",
    ),
    (
        "the component's manifest",
        |files| files.stated(|manifest| manifest.native = None),
        "verify",
        "that `comatrix-gateway rule compile` writes",
    ),
    (
        "another rule's",
        |files| files.stated(|manifest| manifest.name = "b".into()),
        "verify",
        "under its own name",
    ),
    (
        "for another processor",
        |files| files.compiled(foreign(), RuleLimits::default(), |_| {}),
        "load",
        "`comatrix-gateway rule compile --target",
    ),
    (
        "to be interpreted by 32-bit machines",
        |files| files.compiled(NativeTarget::Pulley32, RuleLimits::default(), |_| {}),
        "load",
        "it is for pulley32, this gateway runs on",
    ),
    (
        "for another version of the runtime",
        |files| {
            files.stated(|manifest| {
                if let Some(native) = &mut manifest.native {
                    native.runtime = "47.0.0".into();
                }
            });
        },
        "load",
        "it is for version 47.0.0 of the runtime",
    ),
    (
        "for larger rules",
        |files| {
            let limits = RuleLimits {
                memory: 4 << 20,
                ..RuleLimits::default()
            };
            files.compiled(own(), limits, |_| {});
        },
        "load",
        "--memory",
    ),
    (
        "for another processor than it states",
        |files| {
            files.compiled(foreign(), RuleLimits::default(), |manifest| {
                if let Some(native) = &mut manifest.native {
                    native.target = own().name().into();
                }
            });
        },
        "load",
        "architecture",
    ),
    (
        "with needs that its component does not have",
        |files| files.stated(|manifest| manifest.needs.clear()),
        "describe",
        "the need",
    ),
    (
        "below the revision that served",
        |files| files.stated(|manifest| (manifest.revision, manifest.min_revision) = (1, 0)),
        "verify",
        "min_revision",
    ),
];

#[tokio::test]
async fn invalid_native_code_is_refused_in_one_line_and_the_old_revision_keeps_serving() {
    let folder = scratch::folder("native-faults-files");
    let files = Files::new(&folder);
    let rules = [("a", saying("one"))];
    let stage = Stage::trusting(files.trust(), "native-faults", &rules, |_| {});
    let reply = files.swap(&stage).await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    for (what, alter, step, said) in FAULTS {
        files.stated(|_| {});
        alter(&files);
        let line = refusal(files.swap(&stage).await);
        assert!(
            line.starts_with("rule a not replaced (") && line.contains("keeps serving"),
            "{what}: {line}"
        );
        assert!(!line.contains('\n') && line.len() < 700, "{what}: {line}");
        assert!(line.contains(&format!("): {step}: ")), "{what}: {line}");
        assert!(line.contains(said), "{what}: {line}");
        assert_eq!(stage.test("a").await, "native", "{what}");
    }
}

#[tokio::test]
async fn without_any_key_no_native_code_is_taken_although_signatures_are_optional() {
    let files = Files::new(&scratch::folder("native-no-key-files"));
    let stage = Stage::new("native-no-key", &[("a", saying("one"))]);
    let line = refusal(files.swap(&stage).await);
    assert!(line.contains("[rules] keys"), "{line}");
    assert_eq!(stage.test("a").await, "one");
}
