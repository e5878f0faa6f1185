//! Replacement of one revision: every step that can fail comes before the one pointer changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::managed::{Activated, Found, Managed};
use super::manager::Manager;
use super::not_replaced::NotReplaced;
use super::source::{Source, read};
use crate::telemetry::operator::TARGET;
use runtime::self_test;
use runtime::{Candidate, Conflict, Manifest, MountTable, Mounted, Package, Revision};

impl Manager {
    /// Verify, compile, check imports, link, describe, policy, self-test vectors, and one pointer. Returns a sentence
    /// about the result.
    pub(super) fn replace(
        &mut self,
        index: usize,
        source: Source<'_>,
    ) -> Result<String, NotReplaced> {
        let result = self.try_replace(index, source);
        let rule = &mut self.rules[index];
        match &result {
            Ok(_) => (rule.failure, rule.refusal) = (None, None),
            Err(NotReplaced { step, reason }) => {
                rule.failure = Some(format!("{step}: {reason}"));
                rule.changes.refused += 1;
            }
        }
        result
    }

    fn try_replace(&mut self, index: usize, source: Source<'_>) -> Result<String, NotReplaced> {
        let began = Instant::now();
        let mut rule = self.rules[index].clone();
        let package = read(&rule.spec, source, &self.trust)
            .map_err(|error| NotReplaced::at("verify", error))?;
        let digest = package.code.digest();
        if matches!(source, Source::Configured) {
            // A package that cannot serve is not recorded, so that a reload tries it again.
            rule.found = Some(Found::of(&package));
        }
        if rule.serves(&package) {
            self.rules[index].found = rule.found;
            let done = format!("rule {}: {digest} serves already", rule.spec.name);
            if rule.failure.is_some() || rule.refusal.is_some() {
                // The log's last word on this rule was an error.
                tracing::info!(target: TARGET, "{done}");
            }
            return Ok(done);
        }
        self.prepare(&mut rule, &package, source)?;
        let done = format!("rule {}: {digest} serves", rule.spec.name);
        let from = source.shown(&rule.spec);
        let prepared = began.elapsed();
        let took = self.serve(index, rule)?;
        let done = format!(
            "{done}, from {from} (prepared in {:.1} ms, swapped in {:.1} µs)",
            prepared.as_secs_f64() * 1e3,
            took.as_secs_f64() * 1e6,
        );
        tracing::info!(target: TARGET, "{done}");
        Ok(done)
    }

    /// Prepares a copy of a rule to serve a package: verify its number, compile, check imports, link, describe, policy,
    /// self-test vectors.
    pub(super) fn prepare(
        &self,
        rule: &mut Managed,
        package: &Package,
        source: Source<'_>,
    ) -> Result<(), NotReplaced> {
        let numbers = |manifest: &Manifest| (manifest.revision, manifest.min_revision);
        let (number, floor) = package.manifest.as_ref().map_or((0, 0), numbers);
        if number < rule.floor {
            return Err(NotReplaced::at(
                "verify",
                format!(
                    "its revision is {number}, below {}, the min_revision of a manifest that has served; use a newer \
                     revision",
                    rule.floor
                ),
            ));
        }
        let revision = self.activate(rule, package, number)?;
        let activated = Activated {
            source: source.shown(&rule.spec),
            signer: package.signer.clone(),
            manifest: package.manifest.clone(),
            revision: Arc::new(revision),
            since: Instant::now(),
            kept: match source {
                Source::File { keep, .. } => keep || floor > 0,
                Source::Configured => false,
            },
        };
        rule.floor = rule.floor.max(floor);
        rule.previous = rule.current.replace(activated);
        rule.changes.replaced += 1;
        rule.pauses = (0, None);
        rule.failure = None;
        Ok(())
    }

    fn activate(
        &self,
        rule: &Managed,
        package: &Package,
        number: u64,
    ) -> Result<Revision, NotReplaced> {
        let candidate = Candidate {
            state: &rule.state,
            code: &package.code,
            number,
            settings: &rule.spec.settings,
            limits: rule.spec.limits,
            // Only a built-in rule needs no grant.
            allow: (!package.is_embedded()).then_some(rule.spec.allow.as_slice()),
            allow_headers: &rule.spec.allow_headers,
        };
        let revision = Revision::activate(&self.engines, self.cache.as_ref(), &candidate)
            .map_err(|error| NotReplaced::at(error.step(), error))?;
        if let Some(manifest) = &package.manifest {
            manifest
                .check_needs(revision.needs())
                .map_err(|error| NotReplaced::at("describe", error))?;
            self_test(&revision, &manifest.vectors)
                .map_err(|error| NotReplaced::at("self-test vectors", error))?;
        }
        Ok(revision)
    }

    /// Lets a prepared rule serve in place of its former state. Returns the duration of the swap itself.
    pub(super) fn serve(&mut self, index: usize, rule: Managed) -> Result<Duration, NotReplaced> {
        let others = self.rules.iter().enumerate();
        let next = others.map(|(other, current)| if other == index { &rule } else { current });
        let table = table(next).map_err(|error| NotReplaced::at("mount", error))?;
        let table = Arc::new(table);
        let began = Instant::now();
        self.snapshots
            .update(|snapshot| snapshot.rules = table.clone());
        let took = began.elapsed();
        rule.state.pause(began, None);
        self.rules[index] = rule;
        Ok(took)
    }
}

/// The mounts of these rules.
pub(super) fn table<'a>(
    rules: impl IntoIterator<Item = &'a Managed>,
) -> Result<MountTable, Conflict> {
    let mounted = rules.into_iter().filter_map(|rule| {
        rule.current.as_ref().map(|current| Mounted {
            mount: rule.spec.mount.clone(),
            revision: current.revision.clone(),
        })
    });
    MountTable::new(mounted.collect())
}
