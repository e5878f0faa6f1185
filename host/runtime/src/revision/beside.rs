//! Further revisions of a component that is compiled: with other settings, or other accounting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::accounting::RuleAccounting;
use super::health::Health;
use super::revision_id::RevisionId;
use super::{Revision, nothing, owned};
use crate::call::Trap;
use contract::KnownOptions;
use contract::requested_paths::RequestedPaths;

impl Revision {
    /// The same component with other settings and their description, for a vector with settings of its own.
    /// Nothing is compiled, since settings are parameters.
    pub(crate) fn with_settings(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<Result<Self, String>, Trap> {
        // Vectors are not traffic, so they have their own accounting.
        let accounting = RuleAccounting::new(self.name(), self.limits, None);
        let mut revision = self.beside(accounting, owned(settings));
        Ok(match revision.describe()? {
            Ok(description) => {
                let described = revision.describes(description);
                described
                    .map(|()| revision)
                    .map_err(|fault| fault.to_string())
            }
            Err(refusal) => Err(refusal),
        })
    }

    /// The same component with other accounting and settings, and without a description.
    pub(super) fn beside(
        &self,
        state: Arc<RuleAccounting>,
        settings: Vec<(String, String)>,
    ) -> Self {
        Self {
            id: RevisionId::unique(),
            state,
            digest: self.digest,
            number: self.number,
            engine: self.engine.clone(),
            pre: self.pre.clone(),
            exports: self.exports.clone(),
            description: nothing(),
            requested_paths: RequestedPaths::default(),
            needs_token: Box::default(),
            known_options: KnownOptions::default(),
            feeds: Box::default(),
            needs: Vec::new(),
            settings,
            headers: self.headers.clone(),
            limits: self.limits,
            calls: AtomicU64::new(0),
            health: Health::default(),
        }
    }
}
