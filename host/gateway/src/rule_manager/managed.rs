//! One rule as the manager knows it: its revisions, its pauses, and what an operator sees of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::rule_status_cell::{Changes, PublishedRule, Serves};
use crate::config::RuleSpec;
use contract::Digest;
use runtime::{FailureSink, Manifest, Package, Revision, RuleAccounting};

/// How long a rule that keeps failing is out of service at first; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause: an operator who has mended what the rule needs does not wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A rule that has not failed for this long after a pause begins with the first pause again.
const FORGIVEN: Duration = Duration::from_secs(600);

/// A rule with its revisions. A copy is made ready beside the original, which it then replaces.
#[derive(Clone)]
pub(super) struct Managed {
    pub(super) spec: RuleSpec,
    pub(super) state: Arc<RuleAccounting>,
    pub(super) current: Option<Activated>,
    pub(super) previous: Option<Activated>,
    /// Below this number no revision is activated: what an activated manifest asked for.
    pub(super) floor: u64,
    /// Pauses in a row, and the end of the last one.
    pub(super) pauses: (u32, Option<Instant>),
    /// Why the last attempt to replace its revision failed, or why a revision was taken back.
    pub(super) failure: Option<String>,
    /// Why the configuration, as it was last read, cannot serve, where that is this rule's fault.
    pub(super) refusal: Option<String>,
    pub(super) changes: Changes,
    /// What was last found where the configuration says: only a change there is taken at SIGHUP, so that it undoes
    /// neither an operator's swap nor a revision taken back.
    pub(super) found: Option<Found>,
}

/// What a package is known by.
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

/// A revision that serves or served.
#[derive(Clone)]
pub(super) struct Activated {
    pub(super) manifest: Option<Manifest>,
    pub(super) revision: Arc<Revision>,
    pub(super) source: String,
    pub(super) signer: Option<String>,
    pub(super) since: Instant,
}

impl Managed {
    /// A rule none of whose revisions serves yet. `failure_sink` hears of those that fail.
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

    /// The same rule with another specification, to be made ready. What it was before was granted, limited and set otherwise:
    /// there is no way back to that.
    pub(super) fn respecified(&self, spec: RuleSpec, failure_sink: FailureSink) -> Self {
        let fresh = Self::new(spec, failure_sink);
        Self {
            // Accounts of another size begin anew; what runs is counted on the former ones.
            state: match fresh.spec.limits == self.spec.limits {
                true => self.state.clone(),
                false => fresh.state,
            },
            floor: self.floor,
            changes: self.changes,
            ..fresh
        }
    }

    /// Whether this is what serves already.
    pub(super) fn serves(&self, package: &Package) -> bool {
        self.current.as_ref().is_some_and(|current| {
            current.revision.digest() == package.code.digest()
                && current.manifest == package.manifest
                && current.signer == package.signer
        })
    }

    /// Whether something else is to go on serving: an operator has swapped it in, or this was taken back, and the file has
    /// not changed since.
    pub(super) fn keeps_other_than(&self, package: &Package) -> bool {
        let is_found_again = self.found.as_ref() == Some(&Found::of(package));
        is_found_again && self.current.is_some() && !self.serves(package)
    }

    /// Takes the rule out of service for a while, longer each time.
    pub(super) fn pause(&mut self) {
        let now = Instant::now();
        let (mut count, last_end) = self.pauses;
        if last_end.is_some_and(|end| now.saturating_duration_since(end) > FORGIVEN) {
            count = 0;
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(count.min(16))).min(LONGEST_PAUSE);
        self.pauses = (count + 1, Some(now + pause));
        self.state.pause(Some(now + pause));
        tracing::error!(
            "rule {} is out of service for {} s: it fails, and there is nothing to go back to; replace it with `comatrix-gateway rules swap`",
            self.spec.name,
            pause.as_secs()
        );
    }

    /// What is known of it, for [`RuleStatusCell`](super::RuleStatusCell).
    pub(super) fn published(&self) -> PublishedRule {
        let serves = |current: &Activated| Serves {
            revision: current.revision.clone(),
            source: current.source.clone(),
            signer: current.signer.clone(),
            since: current.since,
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
                    "{failure}; and as the configuration was last read: {refusal}"
                )),
                (failure, refusal) => failure.as_ref().or(refusal.as_ref()).cloned(),
            },
            changes: self.changes,
        }
    }
}
