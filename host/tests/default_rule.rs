//! The default rule, compiled once for all tests, and gateways that use it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use comatrix_gateway::DEFAULT_RULE;
use comatrix_gateway::exchange::Gateway;
use comatrix_gateway::rule::{ActivationError, Cache, Engine, Revision, RuleLimits};
use comatrix_gateway::upstream::{Homeserver, Upstreams};

use crate::http_call::upstreams;
use crate::scratch;

/// The default limits but for the time of a call: it guards the gateway, and this machine may be busy with other tests.
pub fn limits() -> RuleLimits {
    RuleLimits {
        call_time: Duration::from_secs(5),
        ..RuleLimits::default()
    }
}

pub fn engine() -> Engine {
    Engine::new().unwrap_or_else(|error| panic!("{error}"))
}

/// Holds the compiled default rule.
static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let cache = Cache::open(&scratch::folder("default-rule").join("cache"));
    let cache = cache.unwrap_or_else(|error| panic!("{error}"));
    let settings = BTreeMap::new();
    let limits = limits();
    Revision::activate(
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

/// The default rule with these settings.
pub fn activate(
    engine: &Engine,
    settings: &BTreeMap<String, String>,
) -> Result<Revision, ActivationError> {
    let settings = settings.clone();
    Revision::activate(
        engine,
        Some(&CACHE),
        "comatrix",
        DEFAULT_RULE,
        settings,
        limits(),
    )
}

/// The default rule as it comes.
pub fn revision() -> Revision {
    activate(&engine(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

/// A gateway with these homeservers, the default first.
pub fn gateway(homeservers: Vec<Homeserver>) -> Gateway {
    gateway_with(revision(), upstreams(homeservers))
}

pub fn gateway_with(revision: Revision, upstreams: Upstreams) -> Gateway {
    Gateway::new(
        Arc::new(revision),
        upstreams,
        Vec::new(),
        Duration::from_secs(20),
    )
}
