//! The default rule, compiled once for all tests, and gateways that use it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gateway::request::{Gateway, Snapshot, SnapshotCell, TxnKey};
use homeserver::{Homeserver, Upstreams};
use runtime::DEFAULT_RULE;
use runtime::{
    ActivationError, Cache, Candidate, Engines, MountTable, Mounted, Revision, RuleAccounting,
    RuleBinary, RuleLimits,
};

use crate::http_call::upstreams;
use crate::scratch;

/// The default limits, with more time for a call: this machine may be busy with other tests.
pub fn limits() -> RuleLimits {
    RuleLimits {
        call_time: Duration::from_secs(5),
        ..RuleLimits::trusted()
    }
}

pub fn engine() -> Engines {
    Engines::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Holds the compiled default rule.
static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let cache = Cache::open(&scratch::folder("default-rule").join("cache"));
    let cache = cache.unwrap_or_else(|error| panic!("{error}"));
    let settings = BTreeMap::new();
    let limits = limits();
    activate_rule(
        &engine(),
        Some(&cache),
        "comatrix",
        DEFAULT_RULE,
        settings,
        limits,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    cache
});

/// Activates a component as a rule of that name. It may make all the calls that it needs.
pub fn activate_rule(
    engines: &Engines,
    cache: Option<&Cache>,
    name: &str,
    component: &[u8],
    settings: BTreeMap<String, String>,
    limits: RuleLimits,
) -> Result<Revision, ActivationError> {
    let candidate = Candidate {
        state: &RuleAccounting::new(name, limits, None),
        code: &RuleBinary::from(component),
        number: 0,
        settings: &settings,
        limits,
        allow: None,
        allow_headers: &contract::HeaderGrants::default(),
    };
    Revision::activate(engines, cache, &candidate)
}

/// Calls of all rules so far.
pub fn calls(gateway: &Gateway) -> u64 {
    let snapshot = gateway.snapshots.load();
    let rules = snapshot.rules.rules().iter();
    rules.map(|rule| rule.revision.calls()).sum()
}

/// The default rule with these settings.
pub fn activate(
    engine: &Engines,
    settings: &BTreeMap<String, String>,
) -> Result<Revision, ActivationError> {
    activate_with(engine, settings, limits())
}

/// The same with other limits.
pub fn activate_with(
    engine: &Engines,
    settings: &BTreeMap<String, String>,
    limits: RuleLimits,
) -> Result<Revision, ActivationError> {
    let settings = settings.clone();
    activate_rule(
        engine,
        Some(&CACHE),
        "comatrix",
        DEFAULT_RULE,
        settings,
        limits,
    )
}

/// The default rule without settings.
pub fn revision() -> Revision {
    activate(&engine(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

/// A gateway with these homeservers, the default first.
pub fn gateway(homeservers: Vec<Homeserver>) -> Gateway {
    gateway_with(revision(), upstreams(homeservers))
}

pub fn gateway_with(revision: Revision, upstreams: Upstreams) -> Gateway {
    let mounted = Mounted {
        mount: Vec::new(),
        revision: Arc::new(revision),
    };
    let table = MountTable::new(vec![mounted]).unwrap_or_else(|error| panic!("{error}"));
    let snapshot = Snapshot {
        rules: Arc::new(table),
        ..Snapshot::new(upstreams, Duration::from_secs(20))
    };
    Gateway::new(SnapshotCell::new(snapshot), TxnKey::random())
}

/// Replaces the rules.
pub fn swap(gateway: &Gateway, table: MountTable) {
    let table = Arc::new(table);
    gateway
        .snapshots
        .update(|snapshot| snapshot.rules = table.clone());
}
