//! One rule in the manager: its revisions, its pauses, and its status for the operator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::rule_status_cell::{Changes, PublishedRule, Serves};
use crate::config::RuleSpec;
use crate::telemetry::operator::TARGET;
use contract::Digest;
use runtime::{FailureSink, Manifest, Package, Revision, RuleAccounting};

/// The first pause of a rule that keeps failing; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: after the operator has repaired the cause, the rule serves again within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A rule that has not failed for this long after a pause starts with the first pause again.
const FORGIVEN: Duration = Duration::from_secs(600);

/// A rule with its revisions. A copy is prepared beside the original, which it then replaces.
#[derive(Clone)]
pub(super) struct Managed {
    pub(super) spec: RuleSpec,
    pub(super) state: Arc<RuleAccounting>,
    pub(super) current: Option<Activated>,
    pub(super) previous: Option<Activated>,
    /// No revision below this number is activated: the highest `min_revision` of the activated manifests.
    pub(super) floor: u64,
    /// Pauses in a row, and the end of the last one.
    pub(super) pauses: (u32, Option<Instant>),
    /// Why the last attempt to replace its revision failed, or why a revision was rolled back.
    pub(super) failure: Option<String>,
    /// Why the last configuration that was read was not applied, if this rule was the cause.
    pub(super) refusal: Option<String>,
    pub(super) changes: Changes,
    /// The package that was last found in the configured file: a reload replaces the revision only if it has changed,
    /// so that the reload undoes neither a swap nor a rollback.
    pub(super) found: Option<Found>,
}

/// The identity of a package.
#[derive(Clone, PartialEq)]
pub(super) struct Found {
    digest: Digest,
    manifest: Option<Manifest>,
    signer: Option<String>,
}

impl Found {
    pub(super) fn of(package: &Package) -> Self {
        Self {
            digest: package.code.digest(),
            manifest: package.manifest.clone(),
            signer: package.signer.clone(),
        }
    }
}

/// A revision that serves or has served.
#[derive(Clone)]
pub(super) struct Activated {
    pub(super) manifest: Option<Manifest>,
    pub(super) revision: Arc<Revision>,
    pub(super) source: String,
    pub(super) signer: Option<String>,
    pub(super) since: Instant,
    /// An operator swapped it in, with `--keep` or the `min_revision` of its manifest: devices cannot take it back.
    pub(super) kept: bool,
}

impl Managed {
    /// A rule without a revision. `failure_sink` receives failing revisions.
    pub(super) fn new(spec: RuleSpec, failure_sink: FailureSink) -> Self {
        Self {
            state: RuleAccounting::new(&spec.name, spec.limits, Some(failure_sink)),
            spec,
            current: None,
            previous: None,
            floor: 0,
            pauses: (0, None),
            failure: None,
            refusal: None,
            changes: Changes::default(),
            found: None,
        }
    }

    /// The same rule with another specification and without a revision. Earlier revisions had other grants, limits or
    /// settings: a rollback to them is not possible.
    pub(super) fn respecified(&self, spec: RuleSpec, failure_sink: FailureSink) -> Self {
        let fresh = Self::new(spec, failure_sink);
        Self {
            // Other limits need new accounts; requests in progress stay on the former ones.
            state: match fresh.spec.limits == self.spec.limits {
                true => self.state.clone(),
                false => fresh.state,
            },
            floor: self.floor,
            changes: self.changes,
            ..fresh
        }
    }

    /// Whether this package serves already.
    pub(super) fn serves(&self, package: &Package) -> bool {
        self.current.as_ref().is_some_and(|current| {
            current.revision.digest() == package.code.digest()
                && current.manifest == package.manifest
                && current.signer == package.signer
        })
    }

    /// Whether another revision keeps serving: after a swap or a rollback, as long as the file has not changed.
    pub(super) fn keeps_other_than(&self, package: &Package) -> bool {
        let is_found_again = self.found.as_ref() == Some(&Found::of(package));
        is_found_again && self.current.is_some() && !self.serves(package)
    }

    /// Takes the rule out of service for a while, longer each time.
    pub(super) fn pause(&mut self) {
        let now = Instant::now();
        let (mut count, last_end) = self.pauses;
        let is_old = last_end.is_some_and(|end| now.saturating_duration_since(end) > FORGIVEN);
        if is_old || self.state.worked_since_pause() {
            count = 0;
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(count.min(16))).min(LONGEST_PAUSE);
        self.pauses = (count + 1, Some(now + pause));
        self.state.pause(now, Some(now + pause));
        tracing::error!(
            target: TARGET,
            "rule {} is paused for {} s: no call has a result, and there is no better revision to roll back to; \
             replace it with `comatrix-gateway rules swap`",
            self.spec.name,
            pause.as_secs()
        );
    }

    /// Its status, for [`RuleStatusCell`](super::RuleStatusCell).
    pub(super) fn published(&self) -> PublishedRule {
        let serves = |current: &Activated| Serves {
            revision: current.revision.clone(),
            source: current.source.clone(),
            signer: current.signer.clone(),
            since: current.since,
            kept: current.kept,
        };
        PublishedRule {
            name: self.spec.name.clone(),
            mount: format!("/{}", self.spec.mount.join("/")),
            state: self.state.clone(),
            current: self.current.as_ref().map(serves),
            previous: self
                .previous
                .as_ref()
                .map(|previous| format!("{:#}", previous.revision.digest())),
            failure: match (&self.failure, &self.refusal) {
                (Some(failure), Some(refusal)) if failure != refusal => Some(format!(
                    "{failure}; and the last configuration that was read: {refusal}"
                )),
                (failure, refusal) => failure.as_ref().or(refusal.as_ref()).cloned(),
            },
            changes: self.changes,
        }
    }
}
