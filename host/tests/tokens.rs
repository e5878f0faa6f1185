//! The homeserver that each access token goes to.

use std::time::Duration;

use contract::{HttpRequest, Upstream};
use homeserver::{Caller, ClientApi, ConcurrencyLimit, Homeserver, Outcome, Upstreams};

use crate::http_call::{
    call_for, configured_token, device, failure, homeserver, request, token, upstreams,
};
use crate::stub::Stub;

/// The default homeserver and one called `other`.
struct Two {
    standard: Stub,
    other: Stub,
    upstreams: Upstreams,
}

impl Two {
    fn new(of_standard: Option<&str>, of_other: Option<&str>) -> Self {
        let (standard, other) = (Stub::content(), Stub::content());
        let named = Homeserver::configured(
            other.url(),
            Some("other".into()),
            of_other.map(configured_token),
            ClientApi::V3,
            ConcurrencyLimit::new(8, 8),
        );
        let upstreams = upstreams(vec![homeserver(standard.url(), of_standard), named]);
        Self {
            standard,
            other,
            upstreams,
        }
    }

    /// The homeserver `other`, as the Proxy-Uri of a device finds it.
    fn find_other(&self) -> Homeserver {
        let found = self.upstreams.find(&self.other.url());
        found.unwrap_or_else(|reason| panic!("{reason}"))
    }

    async fn call(&self, device: &Caller, upstream: Upstream, credential: &str) -> Outcome {
        let request = HttpRequest {
            upstream,
            credential: credential.into(),
            ..request()
        };
        call_for(&self.upstreams, device, request, Duration::from_secs(20)).await
    }
}

/// The value of the one request's Authorization header.
fn authorization(stub: &Stub) -> Option<String> {
    stub.only().header("authorization").map(str::to_owned)
}

fn other() -> Upstream {
    Upstream::Named("other".into())
}

fn is_no_credential(outcome: Outcome) -> bool {
    let (reason, sent) = failure(outcome);
    (reason.as_str(), sent) == ("no-credential", false)
}

#[tokio::test]
async fn a_devices_token_goes_to_the_homeserver_that_its_proxy_uri_names_and_nowhere_else() {
    for credential in ["device", "any"] {
        let two = Two::new(Some("configured"), None);
        let device = Caller {
            token: Some(token("Bearer devices")),
            session: None,
            requested: Some(two.find_other()),
            ..device()
        };
        let outcome = two.call(&device, Upstream::Requested, credential).await;
        assert_eq!(outcome.map(|response| response.status).ok(), Some(200));
        assert_eq!(authorization(&two.other).as_deref(), Some("Bearer devices"));
        let outcome = two.call(&device, Upstream::Standard, credential).await;
        assert!(is_no_credential(outcome), "{credential}");
        assert_eq!(two.standard.connections(), 0);
    }
}

#[tokio::test]
async fn a_devices_token_without_a_proxy_uri_goes_to_the_default_homeserver() {
    let two = Two::new(None, None);
    let device = Caller {
        token: Some(token("devices")),
        ..device()
    };
    let outcome = two.call(&device, Upstream::Standard, "device").await;
    assert!(outcome.is_ok());
    assert_eq!(
        authorization(&two.standard).as_deref(),
        Some("Bearer devices")
    );
    assert!(is_no_credential(two.call(&device, other(), "device").await));
    assert_eq!(two.other.connections(), 0);
}

#[tokio::test]
async fn a_configured_token_goes_to_its_own_homeserver_and_nowhere_else() {
    let two = Two::new(None, Some("configured"));
    assert!(is_no_credential(
        two.call(&device(), Upstream::Standard, "any").await
    ));
    assert_eq!(two.standard.connections(), 0);
    assert!(two.call(&device(), other(), "any").await.is_ok());
    assert_eq!(
        authorization(&two.other).as_deref(),
        Some("Bearer configured")
    );
}

#[tokio::test]
async fn a_configured_token_is_used_for_a_proxy_uri_to_its_homeserver() {
    let two = Two::new(None, Some("configured"));
    let device = Caller {
        session: None,
        requested: Some(two.find_other()),
        ..device()
    };
    assert!(two.call(&device, Upstream::Requested, "any").await.is_ok());
    assert_eq!(
        authorization(&two.other).as_deref(),
        Some("Bearer configured")
    );
}

#[tokio::test]
async fn a_configured_token_serves_only_token_peers() {
    let two = Two::new(Some("configured"), None);
    for address in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
        let device = Caller {
            peer: contract::Peer::unauthenticated(std::net::SocketAddr::new(
                address.parse().expect("it is an address"),
                5683,
            )),
            ..device()
        };
        let outcome = two.call(&device, Upstream::Standard, "any").await;
        assert!(is_no_credential(outcome), "{address}");
    }
    assert_eq!(two.standard.connections(), 0);
    assert!(two.call(&device(), Upstream::Standard, "any").await.is_ok());
}

#[tokio::test]
async fn a_configured_token_is_never_used_for_the_credential_device() {
    let two = Two::new(Some("configured"), None);
    let outcome = two.call(&device(), Upstream::Standard, "device").await;
    assert!(is_no_credential(outcome));
    assert_eq!(two.standard.connections(), 0);
}

#[tokio::test]
async fn a_devices_own_token_is_preferred_to_the_configured_one() {
    let two = Two::new(Some("configured"), None);
    let device = Caller {
        token: Some(token("devices")),
        ..device()
    };
    assert!(two.call(&device, Upstream::Standard, "any").await.is_ok());
    assert_eq!(
        authorization(&two.standard).as_deref(),
        Some("Bearer devices")
    );
}

#[tokio::test]
async fn a_call_without_credential_carries_no_token_even_if_there_is_one() {
    let two = Two::new(Some("configured"), None);
    let device = Caller {
        token: Some(token("devices")),
        ..device()
    };
    assert!(two.call(&device, Upstream::Standard, "none").await.is_ok());
    assert_eq!(authorization(&two.standard), None);
}

#[tokio::test]
async fn an_unknown_credential_or_upstream_is_denied() {
    let two = Two::new(Some("configured"), None);
    for credential in ["", "None", "configured", "session"] {
        let outcome = two.call(&device(), Upstream::Standard, credential).await;
        assert_eq!(failure(outcome), ("denied".into(), false), "{credential}");
    }
    for upstream in [Upstream::Named("nobody".into()), Upstream::Requested] {
        let outcome = two.call(&device(), upstream, "none").await;
        assert_eq!(failure(outcome), ("denied".into(), false));
    }
    assert_eq!(two.standard.connections() + two.other.connections(), 0);
}

#[tokio::test]
async fn a_configured_token_serves_only_proven_addresses() {
    let two = Two::new(Some("configured"), None);
    let device = Caller {
        is_proven: false,
        ..device()
    };
    assert!(is_no_credential(
        two.call(&device, Upstream::Standard, "any").await
    ));
    assert_eq!(two.standard.connections(), 0);
    let standard = &Upstream::Standard;
    assert!(two.upstreams.needs_proof(&device, standard, "any"));
    assert!(!two.upstreams.needs_proof(&device, standard, "device"));
    assert!(
        !two.upstreams.needs_proof(&device, &other(), "any"),
        "it has no token"
    );
}
