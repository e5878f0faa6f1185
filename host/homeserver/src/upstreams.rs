//! The homeservers: resolves the upstream of a call, attaches its access token, and sends it.

use tokio::time::Instant;
use url::Url;

use super::account::Account;
use super::caller::Caller;
use super::client::{self, ClientError};
use super::credentials::{choose, default_homeserver, is_token_network, is_unproven};
use super::homeserver::Homeserver;
use super::limits::UpstreamLimits;
use super::others::Others;
use super::prepared_call::PreparedCall;
use super::probes::Probes;
use super::request::HttpCall;
use super::response_bytes::ResponseBytes;
use super::settings::{TokenPeers, UpstreamSettings};
use contract::clock::Clock;
use contract::secret::AccessToken;
use contract::{Call, CallError, Credential, Outcome, Peer, Upstream};
use share::Owner;

/// The homeservers and the connections to them.
pub struct Upstreams {
    pub(super) homeservers: Vec<Homeserver>,
    pub(super) token_peers: TokenPeers,
    limits: UpstreamLimits,
    response_bytes: ResponseBytes,
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
            response_bytes,
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
            response_bytes,
            clock,
            configured,
            any,
            probes,
        })
    }

    /// The homeserver of an origin that a device named.
    ///
    /// # Errors
    /// The reason why this gateway does not call it, as the device's diagnostic (5.05).
    pub fn find(&self, origin: &Url) -> Result<Homeserver, &'static str> {
        let mut homeservers = self.homeservers.iter();
        if let Some(homeserver) = homeservers.find(|homeserver| homeserver.has_origin(origin)) {
            return Ok(homeserver.clone());
        }
        let Some(any) = &self.any else {
            return Err("name a configured homeserver; --homeserver adds one");
        };
        if origin.scheme() != "https" {
            return Err("use https for a homeserver that is not configured");
        }
        if !matches!(origin.host(), Some(url::Host::Domain(_))) {
            return Err("use a name of a homeserver that is not configured, no address");
        }
        Ok(Homeserver::unconfigured(origin, &any.others))
    }

    /// Gives a call the origin of its homeserver, the one that its upstream means for this caller now.
    ///
    /// # Errors
    /// [`CallError`] `denied`: the upstream means no homeserver that this gateway calls.
    pub fn prepare(&self, caller: &Caller, call: Call) -> Result<PreparedCall, CallError> {
        let Call {
            upstream,
            credential,
            request,
        } = call;
        let homeserver = self.resolve(caller, &upstream, credential)?;
        Ok(PreparedCall {
            origin: homeserver.origin().clone(),
            credential,
            request,
        })
    }

    /// Attaches the access token and sends the call. A call can be sent again; a repeat is the same request for the
    /// homeserver if its method is idempotent (RFC 9110 §9.2.2).
    ///
    /// # Errors
    /// [`CallError`] with the reasons of `types.call-error`.
    pub async fn send(&self, caller: &Caller, call: &PreparedCall, deadline: Instant) -> Outcome {
        let homeserver = self.reachable(call)?;
        let token = self.token(caller, &homeserver, call.credential)?;
        let http = HttpCall {
            slots: Some((homeserver.slots(), caller.owner)),
            ..self.http_call(&homeserver, token, caller.owner)?
        };
        http.make_recorded(&call.request, deadline).await
    }

    /// Sends a long poll, in the name of `account`. It takes no slot: a call that waits long must not keep others
    /// waiting.
    ///
    /// # Errors
    /// [`CallError`] with the reasons of `types.call-error`; `denied` also if the call would be made in the name of
    /// another account.
    pub async fn poll(
        &self,
        account: &Account,
        caller: &Caller,
        call: &PreparedCall,
        deadline: Instant,
    ) -> Outcome {
        let homeserver = self.reachable(call)?;
        let token = self.token(caller, &homeserver, call.credential)?;
        if !account.belongs(&homeserver, token) {
            return Err(CallError::unsent("denied"));
        }
        let http = self.http_call(&homeserver, token, caller.owner)?;
        http.make_recorded(&call.request, deadline).await
    }

    /// A call without a slot.
    fn http_call<'a>(
        &'a self,
        homeserver: &'a Homeserver,
        token: Option<&'a AccessToken>,
        owner: Owner,
    ) -> Result<HttpCall<'a>, CallError> {
        let client = match (&self.any, homeserver.is_configured()) {
            (_, true) => &self.configured,
            (Some(any), false) => &any.client,
            (None, false) => return Err(CallError::unsent("denied")),
        };
        Ok(HttpCall {
            client,
            homeserver,
            token,
            slots: None,
            max_response: self.limits.response,
            receiving: Some((&self.response_bytes, owner)),
            clock: self.clock,
            is_quiet: false,
        })
    }

    /// Probes of the configured homeservers.
    #[must_use]
    pub fn probes(&self) -> Probes {
        self.probes.clone()
    }

    /// The account in whose name a call with this upstream and credential would be made.
    ///
    /// # Errors
    /// [`CallError`]: `denied` or `no-credential`.
    pub fn account(
        &self,
        caller: &Caller,
        upstream: &Upstream,
        credential: Credential,
    ) -> Result<Account, CallError> {
        let homeserver = self.resolve(caller, upstream, credential)?;
        let token = self.token(caller, homeserver, credential)?;
        Ok(Account {
            homeserver: homeserver.clone(),
            token: token.cloned(),
        })
    }

    /// Whether a device that presents no token may have to prove its address before some call.
    #[must_use]
    pub fn may_need_proof(&self, peer: &Peer) -> bool {
        !peer.authenticated
            && self.homeservers.iter().any(Homeserver::needs_proof)
            && is_token_network(&self.token_peers, peer)
    }

    /// Whether this call would use a configured token, and the caller has to prove its address before.
    #[must_use]
    pub fn needs_proof(&self, caller: &Caller, upstream: &Upstream, credential: &str) -> bool {
        let homeserver = self.resolve(caller, upstream, Credential::Any);
        credential == Credential::Any.name()
            && is_unproven(&self.token_peers, caller)
            && homeserver.is_ok_and(Homeserver::needs_proof)
    }

    /// The homeserver that an upstream means for a call of this caller with this credential. That of a session is the
    /// default one of calls with a token: a password of a device that logs in again goes where it went before.
    pub(super) fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        upstream: &Upstream,
        credential: Credential,
    ) -> Result<&'a Homeserver, CallError> {
        let mut homeservers = self.homeservers.iter();
        let session = caller.session.as_ref();
        let session = session.filter(|_| credential != Credential::None);
        match upstream {
            Upstream::Standard => match session {
                Some(session) => self.current(&session.homeserver),
                None => self.default_of(caller),
            },
            Upstream::Requested => caller
                .requested
                .as_ref()
                .and_then(|requested| self.current(requested)),
            Upstream::Named(name) => homeservers.find(|homeserver| homeserver.name() == Some(name)),
        }
        .ok_or_else(|| CallError::unsent("denied"))
    }

    /// The homeserver of the caller's requests that name none, without a session.
    pub(super) fn default_of(&self, caller: &Caller) -> Option<&Homeserver> {
        default_homeserver(&self.token_peers, &self.homeservers, &caller.peer)
    }

    /// A homeserver as it is configured now, for one that a device found under an earlier configuration.
    fn current<'a>(&'a self, found: &'a Homeserver) -> Option<&'a Homeserver> {
        let mut homeservers = self.homeservers.iter();
        let configured = homeservers.find(|homeserver| homeserver.is(found));
        configured.or_else(|| (!found.is_configured() && self.any.is_some()).then_some(found))
    }

    /// The homeserver of a prepared call, as it is configured now.
    pub(super) fn reachable(&self, call: &PreparedCall) -> Result<Homeserver, CallError> {
        self.find(&call.origin)
            .map_err(|_| CallError::unsent("denied"))
    }

    /// The token to attach.
    pub(super) fn token<'a>(
        &self,
        caller: &'a Caller,
        homeserver: &'a Homeserver,
        credential: Credential,
    ) -> Result<Option<&'a AccessToken>, CallError> {
        let requested = caller.own_homeserver().or_else(|| self.default_of(caller));
        let is_requested = requested.is_some_and(|requested| requested.is(homeserver));
        let wanted = (homeserver, is_requested);
        choose(&self.token_peers, caller, wanted, credential)
    }
}

impl UpstreamSettings {
    /// Keeps the homeservers of `former` that are configured as before: their calls in flight still count, and what was
    /// found out about them is remembered.
    pub fn keep(&mut self, former: &Upstreams) {
        if self.limits != former.limits {
            return;
        }
        self.response_bytes = former.response_bytes.clone();
        for homeserver in &mut self.homeservers {
            let mut homeservers = former.homeservers.iter();
            if let Some(same) = homeservers.find(|one| one.is_configured_as(homeserver)) {
                *homeserver = same.clone();
            }
        }
        if let (Some(others), Some(any)) = (&mut self.others, &former.any) {
            *others = any.others.clone();
        }
    }
}
