//! Swaps of components with manifests: their statements are compared with the revision that serves.

use std::fs;

use gateway::control::Reply;
use runtime::{Case, Manifest};
use serde_json::json;

use crate::rule_package::manifest_of;
use crate::stage::{Stage, saying, trapping};
use crate::swapping::{refusal, rollback};

/// Swaps in a component with a manifest beside it.
async fn swap_with(stage: &Stage, component: &[u8], change: impl Fn(&mut Manifest)) -> Reply {
    let mut manifest = manifest_of(component);
    manifest.name = "a".into();
    change(&mut manifest);
    let file = stage.folder.join("candidate.rule.json");
    let content = manifest
        .to_bytes()
        .unwrap_or_else(|error| panic!("{error}"));
    fs::write(&file, content).expect("the folder is the test's");
    let reply = stage.swap("a", component).await;
    fs::remove_file(&file).expect("it was just written");
    reply
}

#[tokio::test]
async fn no_revision_below_a_manifests_minimum_comes_back() {
    let stage = Stage::new("swap-floor", &[("a", saying("zero"))]);
    let numbered = |revision, min_revision| {
        move |manifest: &mut Manifest| {
            (manifest.revision, manifest.min_revision) = (revision, min_revision);
        }
    };
    let reply = swap_with(&stage, &saying("five"), numbered(5, 4)).await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    let back = refusal(stage.control(rollback("a")).await);
    assert!(
        back.contains("min_revision") && back.contains("newer"),
        "{back}"
    );
    let old = refusal(swap_with(&stage, &saying("three"), numbered(3, 0)).await);
    assert!(
        old.contains("verify: ") && old.contains("min_revision"),
        "{old}"
    );
    let unnumbered = refusal(stage.swap("a", &saying("none")).await);
    assert!(unnumbered.contains("min_revision"), "{unnumbered}");
    assert_eq!(stage.test("a").await, "five");
    // Nor by itself: it pauses instead.
    swap_with(&stage, &trapping(), numbered(9, 9)).await;
    stage.hundred_calls("a").await;
    stage
        .until("a", |status| status.paused_seconds.is_some())
        .await;
}

#[tokio::test]
async fn a_component_that_fails_its_vectors_or_its_manifest_is_not_swapped_in() {
    let stage = Stage::new("swap-vectors", &[("a", saying("one"))]);
    let vector = |payload: &str| Case {
        name: "it speaks".into(),
        request: json!({"method": "GET", "path": ["test"]}),
        calls: vec![],
        reply: json!({"code": "2.05", "payload_text": payload}),
        observation: vec![],
    };
    let two = saying("two");
    let failing = swap_with(&stage, &two, |manifest| {
        manifest.vectors = vec![vector("three")]
    })
    .await;
    let line = refusal(failing);
    assert!(
        line.contains(": self-test vectors: ") && line.contains("it speaks"),
        "{line}"
    );
    let needs = swap_with(&stage, &two, |manifest| manifest.needs.clear()).await;
    let line = refusal(needs);
    assert!(
        line.contains(": describe: ") && line.contains("the need"),
        "{line}"
    );
    let digest = swap_with(&stage, &two, |manifest| manifest.sha256 = "0".repeat(64)).await;
    let line = refusal(digest);
    assert!(
        line.contains(": verify: ") && line.contains("SHA-256"),
        "{line}"
    );
    assert_eq!(stage.test("a").await, "one");
    let passing = swap_with(&stage, &two, |manifest| {
        manifest.vectors = vec![vector("two")]
    })
    .await;
    assert!(matches!(passing, Reply::Done(_)), "{passing:?}");
    assert_eq!(stage.test("a").await, "two");
}

#[tokio::test]
async fn a_manifest_that_comes_after_its_component_counts() {
    let stage = Stage::new("swap-manifest-later", &[("a", saying("one"))]);
    let two = saying("two");
    stage.swapped("a", &two).await;
    let reply = swap_with(&stage, &two, |manifest| {
        (manifest.revision, manifest.min_revision) = (7, 7);
    })
    .await;
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    assert_eq!(stage.status("a").await.number, 7);
    let line = refusal(stage.swap("a", &saying("three")).await);
    assert!(line.contains("min_revision"), "{line}");
}
