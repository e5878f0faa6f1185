//! Egress for tests, and calls through it.

use std::time::Duration;

use contract::clock::Clock;
use contract::secret::AccessToken;
use contract::{Call, CallError, HeaderGrants, HttpRequest, Upstream};
use homeserver::{
    Caller, ClientApi, ConcurrencyLimit, ConfiguredToken, Homeserver, Outcome, ResponseBytes,
    UpstreamLimits, UpstreamSettings, Upstreams,
};
use tokio::time::Instant;
use url::Url;

/// Limits that no test reaches; a test of one limit sets it.
pub const LIMITS: UpstreamLimits = UpstreamLimits {
    in_flight: 64,
    queued: 64,
    response: 1 << 20,
    responses: 8 << 20,
};

pub fn token(text: &str) -> AccessToken {
    AccessToken::parse(text.as_bytes()).expect("it is a token")
}

/// A configured token, for devices with a proven address.
pub fn configured_token(text: &str) -> ConfiguredToken {
    ConfiguredToken {
        token: token(text),
        without_proof: false,
    }
}

pub fn homeserver(origin: Url, own: Option<&str>) -> Homeserver {
    let slots = ConcurrencyLimit::new(LIMITS.in_flight, LIMITS.queued);
    Homeserver::configured(
        origin,
        None,
        own.map(configured_token),
        ClientApi::V3,
        slots,
    )
}

/// Configured homeservers, the default first, and no others; loopback peers may use their tokens.
pub fn upstreams(homeservers: Vec<Homeserver>) -> Upstreams {
    Upstreams::new(settings(homeservers)).expect("no file is read")
}

pub fn settings(homeservers: Vec<Homeserver>) -> UpstreamSettings {
    UpstreamSettings {
        homeservers,
        others: None,
        token_peers: vec!["127.0.0.0/8".parse().expect("it is a prefix")].into(),
        ca_file: None,
        limits: LIMITS,
        response_bytes: ResponseBytes::new(LIMITS),
        clock: Clock::system(),
    }
}

/// A device at the loopback address without token and Proxy-Uri.
pub fn device() -> Caller {
    Caller {
        peer: contract::Peer::unauthenticated(([127, 0, 0, 1], 5683).into()),
        owner: share::Owner::new(1, None),
        is_proven: true,
        token: None,
        session: None,
        requested: None,
    }
}

/// `GET /a/b` of the default homeserver, without a token.
pub fn request() -> HttpRequest {
    HttpRequest {
        upstream: Upstream::Standard,
        credential: "none".into(),
        method: "GET".into(),
        path: vec!["a".into(), "b".into()],
        query: vec![],
        headers: vec![],
        body: None,
        hold_ms: 0,
    }
}

/// The call, with more time than it needs.
pub async fn call(upstreams: &Upstreams, request: HttpRequest) -> Outcome {
    call_within(upstreams, request, Duration::from_secs(20)).await
}

pub async fn call_within(upstreams: &Upstreams, request: HttpRequest, limit: Duration) -> Outcome {
    call_for(upstreams, &device(), request, limit).await
}

/// The call of a device: checked, prepared and sent as the gateway does.
pub async fn call_for(
    upstreams: &Upstreams,
    device: &Caller,
    request: HttpRequest,
    limit: Duration,
) -> Outcome {
    let call =
        Call::check(request, &HeaderGrants::default()).map_err(|_| CallError::unsent("denied"))?;
    let call = upstreams.prepare(device, call)?;
    upstreams.send(device, &call, Instant::now() + limit).await
}

/// The reason why there was no response, and whether the homeserver may have processed the request.
pub fn failure(outcome: Outcome) -> (String, bool) {
    let error = outcome.expect_err("there is no response");
    (error.reason, error.sent)
}
