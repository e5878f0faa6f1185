//! One HTTP call: built, sent, its response read within its bounds.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};

use super::concurrency_limit::ConcurrencyLimit;
use super::failure::{cause, dates, is_not_public, is_tls, was_closed};
use super::homeserver::Homeserver;
use super::response::{Room, is_unrecognized, read};
use super::response_bytes::ResponseBytes;
use contract::clock::Clock;
use contract::secret::AccessToken;
use contract::{CallError, CheckedRequest, Outcome};
use share::Owner;

/// How a request is sent, and where.
pub(super) struct HttpCall<'a> {
    pub(super) client: &'a Client,
    pub(super) homeserver: &'a Homeserver,
    /// The token to attach.
    pub(super) token: Option<&'a AccessToken>,
    /// The queue, and the host that waits in it; none for a long poll.
    pub(super) slots: Option<(&'a ConcurrencyLimit, Owner)>,
    /// Bytes of the response.
    pub(super) max_response: usize,
    /// The account of the response's bytes, and the host whose share they use; none for a probe: it is small.
    pub(super) receiving: Option<(&'a ResponseBytes, Owner)>,
    /// For the dates of certificates.
    pub(super) clock: Clock,
    /// Whether a failure is not logged: it was logged before.
    pub(super) is_quiet: bool,
}

impl HttpCall<'_> {
    /// Sends the request, and records the outcome.
    pub(super) async fn make_recorded(
        self,
        request: &CheckedRequest,
        deadline: Instant,
    ) -> Outcome {
        let record = self.homeserver.record();
        let is_held = self.slots.is_none() || request.hold_ms() > 0;
        let (outcome, took) = self.make(request, deadline).await;
        // The time that a held call takes is no measure of the homeserver.
        record.ended(&outcome, took.filter(|_| !is_held));
        outcome
    }

    /// Sends the request. Also returns the time since the call had its place in the queue, if it had one.
    pub(super) async fn make(
        self,
        request: &CheckedRequest,
        deadline: Instant,
    ) -> (Outcome, Option<Duration>) {
        let sent = Cell::new(false);
        let began = Cell::new(None);
        let outcome = match timeout_at(deadline, self.made(request, &sent, &began)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError {
                reason: "timed-out".into(),
                sent: sent.get(),
            }),
        };
        (outcome, began.get().map(|began| began.elapsed()))
    }

    async fn made(
        self,
        request: &CheckedRequest,
        sent: &Cell<bool>,
        began: &Cell<Option<Instant>>,
    ) -> Outcome {
        let Self {
            homeserver,
            max_response,
            receiving,
            ..
        } = self;
        let room = || Room {
            max: max_response,
            receiving: receiving.map(|(account, owner)| account.receiving(owner)),
        };
        let _slots = match self.slots {
            Some((slots, owner)) => Some(
                slots
                    .take(owner)
                    .await
                    .ok_or_else(|| CallError::unsent("busy"))?,
            ),
            None => None,
        };
        began.set(Some(Instant::now()));
        let mut outgoing = Outgoing::new(&self, request, sent)?;
        if homeserver.is_old() {
            outgoing.use_r0();
        }
        let response = outgoing.exchange(room).await?;
        if homeserver.may_be_old() && is_unrecognized(&response) && outgoing.use_r0() {
            let response = outgoing.exchange(room).await?;
            if !is_unrecognized(&response) {
                homeserver.remember_old();
            }
            return Ok(response);
        }
        Ok(response)
    }
}

/// A request in the types of the HTTP client.
struct Outgoing<'a> {
    client: &'a Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    sent: &'a Cell<bool>,
    clock: Clock,
    is_quiet: bool,
}

impl<'a> Outgoing<'a> {
    /// Builds the request and attaches the token.
    fn new(
        call: &HttpCall<'a>,
        request: &CheckedRequest,
        sent: &'a Cell<bool>,
    ) -> Result<Self, CallError> {
        let HttpCall {
            client,
            homeserver,
            token,
            clock,
            is_quiet,
            ..
        } = *call;
        let denied = || CallError::unsent("denied");
        let mut url = homeserver.origin().clone();
        url.path_segments_mut()
            .map_err(|()| denied())?
            .clear()
            .extend(request.path());
        if !request.query().is_empty() {
            url.query_pairs_mut().extend_pairs(request.query());
        }
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied())?;
            headers.append(name, HeaderValue::from_str(value).map_err(|_| denied())?);
        }
        if let Some(token) = token {
            headers.insert(reqwest::header::AUTHORIZATION, authorization(token));
        }
        Ok(Self {
            client,
            method: match request.method() {
                contract::Method::Get => Method::GET,
                contract::Method::Post => Method::POST,
                contract::Method::Put => Method::PUT,
                contract::Method::Delete => Method::DELETE,
            },
            url,
            headers,
            body: request.body().cloned(),
            sent,
            clock,
            is_quiet,
        })
    }

    /// Sends it, and once more if the homeserver closed a kept connection at that moment and a repeat is
    /// harmless (RFC 9110 §9.2.2; a PUT to Matrix carries its transaction id).
    async fn exchange<'r>(&self, room: impl FnOnce() -> Room<'r>) -> Outcome {
        match self.send().await {
            Ok(response) => read(response, room()).await,
            Err(error) if self.method != Method::POST && was_closed(&error) => {
                let response = self.send().await.map_err(|error| self.failed(&error))?;
                read(response, room()).await
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn send(&self) -> reqwest::Result<Response> {
        let mut request = self
            .client
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        self.sent.set(true);
        request.send().await
    }

    fn failed(&self, error: &reqwest::Error) -> CallError {
        let (reason, sent) = if is_not_public(error) {
            ("denied", false)
        } else if is_tls(error) {
            ("tls", false)
        } else if error.is_connect() {
            ("unreachable", false)
        } else {
            ("cut-off", true)
        };
        if !self.is_quiet {
            tracing::warn!(
                "{} {}: {reason}: {}",
                self.method,
                self.url.origin().ascii_serialization(),
                dates(error, self.clock).unwrap_or_else(|| cause(error))
            );
        }
        CallError {
            reason: reason.into(),
            sent,
        }
    }

    /// Changes the path to the prefix of before Matrix 1.1; false if the path has none to change.
    fn use_r0(&mut self) -> bool {
        let rest = self.url.path().strip_prefix("/_matrix/client/v3");
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(path) = rest.map(|rest| format!("/_matrix/client/r0{rest}")) else {
            return false;
        };
        self.url.set_path(&path);
        true
    }
}

/// The value of the Authorization header, marked so that no log shows it.
fn authorization(token: &AccessToken) -> HeaderValue {
    let mut value = HeaderValue::from_str(token.bearer().expose_secret())
        .unwrap_or_else(|_| unreachable!("a token is printable ASCII"));
    value.set_sensitive(true);
    value
}
