//! HTTP egress: which homeserver, whose credentials, how long, how much. It knows no CoAP.

mod account;
mod client;
mod failure;
mod headers;
mod homeserver;
mod probes;
mod public_only;
mod record;
mod request;
mod response;
mod settings;

use tokio::time::Instant;

pub use account::Account;
pub use client::ClientError;
use contract::clock::Clock;
use contract::secret::AccessToken;
use contract::{CallError, HttpRequest, HttpResponse, Peer, Upstream};
pub use homeserver::{ClientApi, ConcurrencyLimit, Homeserver};
pub use probes::Probes;
pub use public_only::is_public;
pub use record::{BOUNDS, CallRecord, Durations, OUTCOMES, Presence};
use request::Call;
pub use settings::{Others, TokenPeers, UpstreamLimits, UpstreamSettings};

/// What a call led to.
pub type Outcome = Result<HttpResponse, CallError>;

/// Who a call is made for.
#[derive(Clone)]
pub struct Caller {
    /// Its address counts for `token_peers`.
    pub peer: Peer,
    /// The token it presented.
    pub token: Option<AccessToken>,
    /// The homeserver its Proxy-Uri names; the default one otherwise.
    pub requested: Option<Homeserver>,
}

/// The homeservers and the connections to them.
pub struct Upstreams {
    homeservers: Vec<Homeserver>,
    token_peers: TokenPeers,
    limits: UpstreamLimits,
    clock: Clock,
    configured: reqwest::Client,
    any: Option<AnyHomeserver>,
    probes: Probes,
}

struct AnyHomeserver {
    client: reqwest::Client,
    others: Others,
}

impl Upstreams {
    /// Prepares the connection pools; connects to nothing.
    ///
    /// # Errors
    /// [`ClientError`] when the certificate authorities cannot be read.
    pub fn new(settings: UpstreamSettings) -> Result<Self, ClientError> {
        let UpstreamSettings {
            homeservers,
            others,
            token_peers,
            ca_file,
            limits,
            clock,
        } = settings;
        let secured = homeservers.iter().any(Homeserver::is_secured);
        let configured = client::configured(secured, ca_file.as_deref())?;
        let probes = Probes::new(
            homeservers.clone(),
            others.clone(),
            configured.clone(),
            clock,
        );
        let any = others
            .map(|others| {
                let client = client::public_only(ca_file.as_deref())?;
                Ok(AnyHomeserver { client, others })
            })
            .transpose()?;
        Ok(Self {
            homeservers,
            token_peers,
            limits,
            clock,
            configured,
            any,
            probes,
        })
    }

    /// The homeserver of an origin that a device named.
    ///
    /// # Errors
    /// Why this gateway does not go there, for the device (5.05).
    pub fn find(&self, origin: &url::Url) -> Result<Homeserver, &'static str> {
        if let Some(homeserver) = self
            .homeservers
            .iter()
            .find(|known| known.has_origin(origin))
        {
            return Ok(homeserver.clone());
        }
        let Some(any) = &self.any else {
            return Err(
                "this homeserver is not configured here; its operator adds it with --homeserver",
            );
        };
        if origin.scheme() != "https" {
            return Err("homeservers that are not configured are reached by https only");
        }
        if !matches!(origin.host(), Some(url::Host::Domain(_))) {
            return Err(
                "homeservers that are not configured are reached by name only, not by address",
            );
        }
        Ok(Homeserver::unconfigured(origin, &any.others))
    }

    /// Makes the call that a rule asks for. Its body is taken out of `request`.
    ///
    /// # Errors
    /// [`CallError`] with the reasons of `types.call-error`.
    pub async fn call(
        &self,
        caller: &Caller,
        request: &mut HttpRequest,
        deadline: Instant,
    ) -> Outcome {
        let (homeserver, token) = self.resolve(caller, &request.upstream, &request.credential)?;
        let slots = Some(homeserver.slots());
        self.send(homeserver, token, request, slots, deadline).await
    }

    /// Makes a call that waits for something to happen. It takes no slot: who waits long must not keep others waiting.
    /// `denied` where it would be made in another name than `account`.
    ///
    /// # Errors
    /// [`CallError`] with the reasons of `types.call-error`.
    pub async fn poll(
        &self,
        account: &Account,
        caller: &Caller,
        request: &mut HttpRequest,
        deadline: Instant,
    ) -> Outcome {
        let (homeserver, token) = self.resolve(caller, &request.upstream, &request.credential)?;
        if !account.belongs(homeserver, token) {
            return Err(unsent("denied"));
        }
        self.send(homeserver, token, request, None, deadline).await
    }

    async fn send(
        &self,
        homeserver: &Homeserver,
        token: Option<&AccessToken>,
        request: &mut HttpRequest,
        slots: Option<&ConcurrencyLimit>,
        deadline: Instant,
    ) -> Outcome {
        let client = match (&self.any, homeserver.is_configured()) {
            (_, true) => &self.configured,
            (Some(any), false) => &any.client,
            (None, false) => return Err(unsent("denied")),
        };
        let call = Call {
            client,
            homeserver,
            token,
            slots,
            max_answer: self.limits.answer,
            clock: self.clock,
            is_quiet: false,
        };
        let is_held = slots.is_none() || request.hold_ms > 0;
        let (outcome, took) = call.make(request, deadline).await;
        // How long a call takes that waits for something to happen says nothing of the homeserver.
        homeserver
            .record()
            .ended(&outcome, took.filter(|_| !is_held));
        outcome
    }

    /// The configured homeservers, to ask whether they are there.
    #[must_use]
    pub fn probes(&self) -> Probes {
        self.probes.clone()
    }

    /// In whose name a call with this upstream and credential would be made.
    ///
    /// # Errors
    /// [`CallError`]: `denied` or `no-credential`.
    pub fn account(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        credential: &str,
    ) -> Result<Account, CallError> {
        let (homeserver, token) = self.resolve(caller, upstream, credential)?;
        Ok(Account {
            homeserver: homeserver.clone(),
            token: token.cloned(),
        })
    }

    /// The account whose token the device presented; none where it presented none.
    #[must_use]
    pub fn own_account(&self, caller: &Caller) -> Option<Account> {
        let homeserver = caller.requested.as_ref().or(self.homeservers.first())?;
        caller.token.as_ref().map(|token| Account {
            homeserver: homeserver.clone(),
            token: Some(token.clone()),
        })
    }

    fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        upstream: &Upstream,
        credential: &str,
    ) -> Result<(&'a Homeserver, Option<&'a AccessToken>), CallError> {
        let homeserver = match upstream {
            Upstream::Standard => self.homeservers.first(),
            Upstream::Requested => caller.requested.as_ref().and_then(|it| self.known(it)),
            Upstream::Named(name) => self
                .homeservers
                .iter()
                .find(|known| known.name() == Some(name)),
        }
        .ok_or_else(|| unsent("denied"))?;
        let token = self.token(caller, homeserver, credential)?;
        Ok((homeserver, token))
    }

    /// A homeserver as it is configured now, where a device has found it under an earlier configuration.
    fn known<'a>(&'a self, found: &'a Homeserver) -> Option<&'a Homeserver> {
        let configured = self.homeservers.iter().find(|known| known.is(found));
        configured.or_else(|| (!found.is_configured() && self.any.is_some()).then_some(found))
    }

    /// The token to attach: a device's own goes only to the homeserver it requested, a configured one only to the
    /// homeserver it is configured for.
    fn token<'a>(
        &self,
        caller: &'a Caller,
        homeserver: &'a Homeserver,
        credential: &str,
    ) -> Result<Option<&'a AccessToken>, CallError> {
        let requested = caller.requested.as_ref().or(self.homeservers.first());
        let own = caller
            .token
            .as_ref()
            .filter(|_| requested.is_some_and(|requested| requested.is(homeserver)));
        let token = match credential {
            "none" => return Ok(None),
            "device" => own,
            "any" => own.or_else(|| {
                let trusted = self
                    .token_peers
                    .iter()
                    .any(|network| network.contains(&caller.peer.ip()));
                // A device that presents a token of its own means that one, here or nowhere.
                homeserver
                    .token()
                    .filter(|_| trusted && caller.token.is_none())
            }),
            _ => return Err(unsent("denied")),
        };
        token.map(Some).ok_or_else(|| unsent("no-credential"))
    }
}

/// A call that did not leave the gateway.
fn unsent(reason: &str) -> CallError {
    CallError {
        reason: reason.to_owned(),
        sent: false,
    }
}
