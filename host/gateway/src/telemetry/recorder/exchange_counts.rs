//! Numbers of requests by resource, response code and rule. Resources are links of rules and not paths of requests, so
//! that no device can make the list grow.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::resource::Resource;
use coap::code::Dotted;
use runtime::{MountTable, Revision};

/// Resources with counts of their own: four rules with as many links as a rule may have. All others share one.
const LABELS: usize = 256;
/// Counts by resource and code: a rule that responds with ever other codes makes no more of them.
const SERIES: usize = 2048;
/// Links of revisions with a cached label; after a swap there are new ones.
const LINKS: usize = 1024;

/// The labels from the start, in this order: resources beyond [`LABELS`], no resource, discovery,
/// the status of a message, EDHOC.
const OWN_LABELS: [(&str, &str); 5] = [
    ("other", "other"),
    ("", "unknown"),
    ("", "/.well-known/core"),
    ("", "/sent/{id}"),
    ("", "/.well-known/edhoc"),
];
const OTHER: Label = Label(0);
const UNKNOWN: Label = Label(1);
const DISCOVERY: Label = Label(2);
const SENT: Label = Label(3);
const HANDSHAKE: Label = Label(4);

/// The index of a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Label(usize);

/// A count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeCount {
    /// The rule; empty without one.
    pub rule: String,
    /// The link's pattern with its mount.
    pub resource: String,
    /// The response code, like `2.04`.
    pub code: String,
    /// Number of requests.
    pub count: u64,
}

/// All counts.
pub(super) struct ExchangeCounts {
    labels: Vec<(Arc<str>, String)>,
    /// By revision and link. Settings and mount may differ between revisions of one component; a revision that is held
    /// weakly keeps its address.
    links: HashMap<(*const Revision, u16), (Weak<Revision>, Label)>,
    counts: HashMap<(Label, u8), u64>,
}

impl Default for ExchangeCounts {
    fn default() -> Self {
        let own = |(rule, resource): (&str, &str)| (rule.into(), resource.to_owned());
        Self {
            labels: OWN_LABELS.map(own).into(),
            links: HashMap::new(),
            counts: HashMap::new(),
        }
    }
}

impl ExchangeCounts {
    /// Counts a request and returns its label.
    pub(super) fn count(&mut self, rules: &MountTable, resource: &Resource, code: u8) -> Label {
        let label = match resource {
            Resource::Unknown => UNKNOWN,
            Resource::Discovery => DISCOVERY,
            Resource::Sent => SENT,
            Resource::Handshake => HANDSHAKE,
            Resource::Link(revision, link) => {
                let key = (Arc::as_ptr(revision), *link);
                match self.links.get(&key) {
                    Some((_, label)) => *label,
                    None => {
                        let resource = rules.resource(revision, *link);
                        let label = self.label(revision.state().name(), resource);
                        if self.links.len() >= LINKS {
                            self.links.clear();
                        }
                        let revision = Arc::downgrade(revision);
                        self.links.insert(key, (revision, label));
                        label
                    }
                }
            }
        };
        self.add(label, code);
        label
    }

    fn add(&mut self, label: Label, code: u8) {
        let is_full = self.counts.len() >= SERIES && !self.counts.contains_key(&(label, code));
        let counted = if is_full { OTHER } else { label };
        *self.counts.entry((counted, code)).or_default() += 1;
    }

    fn label(&mut self, rule: &Arc<str>, resource: String) -> Label {
        let is = |(other, path): &(Arc<str>, String)| other == rule && *path == resource;
        match self.labels.iter().position(is) {
            Some(index) => Label(index),
            None if self.labels.len() >= LABELS => OTHER,
            None => {
                self.labels.push((rule.clone(), resource));
                Label(self.labels.len() - 1)
            }
        }
    }

    /// Rule and resource of a label.
    pub(super) fn shown(&self, label: Label) -> (&str, &str) {
        let (rule, resource) = &self.labels[label.0];
        (rule, resource)
    }

    /// All counts, in order.
    pub(super) fn all(&self) -> Vec<ExchangeCount> {
        let shown = |(&(label, code), &count): (&(Label, u8), &u64)| {
            let (rule, resource) = self.shown(label);
            ExchangeCount {
                rule: rule.to_owned(),
                resource: resource.to_owned(),
                code: Dotted(code).to_string(),
                count,
            }
        };
        let mut all: Vec<_> = self.counts.iter().map(shown).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_new_resources_and_codes_make_no_more_than_a_bounded_number_of_counts() {
        let mut counts = ExchangeCounts::default();
        let rule: Arc<str> = "hostile".into();
        for number in 0..10 * LABELS {
            let label = counts.label(&rule, format!("/{number}"));
            for code in 0..=u8::MAX {
                counts.add(label, code);
            }
        }
        assert_eq!(counts.labels.len(), LABELS);
        assert_eq!(counts.label(&rule, "/0".into()).0, OWN_LABELS.len());
        assert!(counts.all().len() <= SERIES + 256);
        let all: u64 = counts.all().iter().map(|one| one.count).sum();
        assert_eq!(all, 10 * LABELS as u64 * 256);
    }

    #[test]
    fn requests_without_a_resource_have_a_count_of_their_own() {
        let mut counts = ExchangeCounts::default();
        let rules = MountTable::default();
        counts.count(&rules, &Resource::Unknown, 132);
        counts.count(&rules, &Resource::Discovery, 69);
        counts.count(&rules, &Resource::Unknown, 132);
        let all: Vec<_> = counts
            .all()
            .into_iter()
            .map(|one| (one.resource, one.code, one.count))
            .collect();
        let expected = [("/.well-known/core", "2.05", 1), ("unknown", "4.04", 2)];
        assert_eq!(
            all,
            expected.map(|(resource, code, count)| (resource.into(), code.into(), count))
        );
    }
}
