//! The configuration of all worlds.

use std::sync::Arc;
use std::time::Duration;

use contract::clock::Clock;
use contract::secret::AccessToken;
use homeserver::{
    ClientApi, ConcurrencyLimit, ConfiguredToken, Homeserver, ResponseBytes, UpstreamLimits,
    UpstreamSettings, Upstreams,
};
use outbox::OutboxLimits;

use super::message::{ORIGIN, ip};
use crate::outbox::{OutboxMode, OutboxSettings};
use crate::request::Snapshot;

/// How long a message waits, if the router's clock has a battery.
pub const AGE: Duration = Duration::from_secs(6 * 3600);

/// One homeserver, and bounds that are reached.
pub fn snapshot() -> Snapshot {
    let limits = UpstreamLimits {
        in_flight: 64,
        queued: 64,
        response: 1 << 20,
        responses: 8 << 20,
    };
    let token = AccessToken::parse(b"configured").expect("it is a token");
    let token = ConfiguredToken {
        token,
        without_proof: false,
    };
    let slots = ConcurrencyLimit::new(limits.in_flight, limits.queued);
    let origin = ORIGIN.parse().expect("it is a URL");
    let homeserver = Homeserver::configured(origin, None, Some(token), ClientApi::V3, slots);
    let upstreams = Upstreams::new(UpstreamSettings {
        homeservers: vec![homeserver],
        others: None,
        token_peers: vec!["127.0.0.0/8".parse().expect("it is a prefix")].into(),
        ca_file: None,
        limits,
        response_bytes: ResponseBytes::new(limits),
        clock: Clock::system(),
    });
    let upstreams = upstreams.unwrap_or_else(|error| panic!("{error}"));
    let limits = OutboxLimits {
        messages: 80,
        bytes: 80 << 10,
        age: AGE,
        ..OutboxLimits::default()
    };
    let settings = OutboxSettings {
        limits,
        networks: vec![(ip(0).into(), OutboxMode::Always)],
        ..OutboxSettings::default()
    };
    Snapshot {
        outbox: Arc::new(settings),
        ..Snapshot::new(upstreams, Duration::from_secs(10))
    }
}
