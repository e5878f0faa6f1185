//! One call: checked, sent, its answer read within its bounds.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};

use super::failure::{cause, dates, is_not_public, is_tls, was_closed};
use super::headers::may_send;
use super::homeserver::{ConcurrencyLimit, Homeserver};
use super::response::{is_unrecognized, read};
use super::{Outcome, unsent};
use contract::clock::Clock;
use contract::path_segment::is_plain;
use contract::secret::AccessToken;
use contract::{CallError, HttpRequest};

/// Bytes of a request body: a device's 128 KiB may double on their way from CBOR to JSON.
const MAX_REQUEST_BODY: usize = 256 << 10;
/// Headers that a rule may add.
const MAX_HEADERS: usize = 16;

/// A call about to be made.
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    pub(super) homeserver: &'a Homeserver,
    /// The token to attach.
    pub(super) token: Option<&'a AccessToken>,
    /// Where it queues; none for a long poll.
    pub(super) slots: Option<&'a ConcurrencyLimit>,
    /// Bytes of the answer.
    pub(super) max_answer: usize,
    /// By which certificates are judged.
    pub(super) clock: Clock,
    /// Whether nobody needs to be told that it has failed: that was said before.
    pub(super) is_quiet: bool,
}

impl Call<'_> {
    /// Makes the call; `request` loses its body. Also how long it took since it had its place in the queue, if it had one.
    pub(super) async fn make(
        self,
        request: &mut HttpRequest,
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
        request: &mut HttpRequest,
        sent: &Cell<bool>,
        began: &Cell<Option<Instant>>,
    ) -> Outcome {
        let Self {
            homeserver,
            max_answer,
            ..
        } = self;
        let _slots = match self.slots {
            Some(slots) => Some(slots.take().await.ok_or_else(|| unsent("busy"))?),
            None => None,
        };
        began.set(Some(Instant::now()));
        let mut checked = Checked::new(&self, request, sent)?;
        let answer = checked.make(max_answer).await?;
        if homeserver.may_be_old() && is_unrecognized(&answer) && checked.use_r0() {
            let answer = checked.make(max_answer).await?;
            if !is_unrecognized(&answer) {
                homeserver.remember_old();
            }
            return Ok(answer);
        }
        Ok(answer)
    }
}

/// A call that may be made.
struct Checked<'a> {
    client: &'a Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    sent: &'a Cell<bool>,
    clock: Clock,
    is_quiet: bool,
}

impl<'a> Checked<'a> {
    /// Checks what the rule wants. What it must not want is `denied`.
    fn new(
        call: &Call<'a>,
        request: &mut HttpRequest,
        sent: &'a Cell<bool>,
    ) -> Result<Self, CallError> {
        let Call {
            client,
            homeserver,
            token,
            clock,
            is_quiet,
            ..
        } = *call;
        let denied = || unsent("denied");
        let method = match request.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "DELETE" => Method::DELETE,
            _ => return Err(denied()),
        };
        if !request.path.iter().all(|segment| is_plain(segment))
            || request.headers.len() > MAX_HEADERS
            || request
                .body
                .as_ref()
                .is_some_and(|body| body.len() > MAX_REQUEST_BODY)
        {
            return Err(denied());
        }
        if homeserver.is_old() {
            use_r0(&mut request.path);
        }
        let mut url = homeserver.origin().clone();
        url.path_segments_mut()
            .map_err(|()| denied())?
            .clear()
            .extend(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            if !may_send(name) {
                return Err(denied());
            }
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied())?;
            headers.append(name, HeaderValue::from_str(value).map_err(|_| denied())?);
        }
        if let Some(token) = token {
            headers.insert(reqwest::header::AUTHORIZATION, authorization(token));
        }
        Ok(Self {
            client,
            method,
            url,
            headers,
            body: request.body.take().map(Bytes::from),
            sent,
            clock,
            is_quiet,
        })
    }

    /// Sends it, and once more if the homeserver closed a kept connection at that moment and a repeat is
    /// harmless (RFC 9110 §9.2.2; a PUT to Matrix carries its transaction id).
    async fn make(&mut self, max_answer: usize) -> Outcome {
        match self.send().await {
            Ok(response) => read(response, max_answer).await,
            Err(error) if self.method != Method::POST && was_closed(&error) => {
                let response = self.send().await.map_err(|error| self.failed(&error))?;
                read(response, max_answer).await
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

    /// Changes the path to the prefix of before Matrix 1.1; false where it has none to change.
    fn use_r0(&mut self) -> bool {
        let mut path: Vec<String> = self
            .url
            .path_segments()
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        let changed = use_r0(&mut path);
        self.url.set_path(&path.join("/"));
        changed
    }
}

fn use_r0(path: &mut [String]) -> bool {
    match path {
        [matrix, client, version, ..]
            if matrix == "_matrix" && client == "client" && version == "v3" =>
        {
            "r0".clone_into(version);
            true
        }
        _ => false,
    }
}

/// The value of the Authorization header, marked so that no log shows it.
fn authorization(token: &AccessToken) -> HeaderValue {
    let mut value = HeaderValue::from_str(token.bearer().expose_secret())
        .unwrap_or_else(|_| unreachable!("a token is printable ASCII"));
    value.set_sensitive(true);
    value
}
