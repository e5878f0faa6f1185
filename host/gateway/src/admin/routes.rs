//! Which request is answered with what.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use tokio::time::timeout;

use super::forms::{self, random};
use super::response::{Answer, answer, html, text};
use super::{Admin, exposition, host_header, page};
use crate::rule_manager::{ControlRequest, Reply};
use crate::telemetry::recorder::LoopState;

/// Bytes of a form, and the time for it to come: a name and a token.
const FORM_BYTES: usize = 4 << 10;
const FORM_TIME: Duration = Duration::from_secs(5);
/// For the manager to do what was wished. It goes on with it where that takes longer, since it may be compiling.
const WISH_TIME: Duration = Duration::from_secs(30);

impl Admin {
    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        if !host_header::is_own(&request) {
            return text(
                StatusCode::MISDIRECTED_REQUEST,
                "this is the status page of localhost: ask for localhost or 127.0.0.1, through SSH from elsewhere",
            );
        }
        let (is_get, is_post) = (
            matches!(*request.method(), Method::GET | Method::HEAD),
            request.method() == Method::POST,
        );
        match request.uri().path() {
            "/" if is_get => self.page(true).await,
            "/live" if is_get => self.page(false).await,
            "/status.json" if is_get => self.json().await,
            "/metrics" if is_get => self.prometheus().await,
            "/healthz" if is_get => self.health().await,
            "/readyz" if is_get => self.readiness().await,
            "/rollback" if is_post => self.roll_back(request).await,
            "/rollback" => not_allowed("POST"),
            "/" | "/live" | "/status.json" | "/metrics" | "/healthz" | "/readyz" => {
                not_allowed("GET, HEAD")
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "there are /, /status.json, /metrics, /healthz and /readyz",
            ),
        }
    }

    /// What the loop says; the answer where it says nothing.
    async fn serving(&self) -> Result<LoopState, Answer> {
        self.recorder.loop_probe.take().await.ok_or_else(|| {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the serving loop does not turn; restart the gateway",
            )
        })
    }

    async fn page(&self, whole: bool) -> Answer {
        // Nobody waits for a homeserver to see a page; the next look shows what it has said.
        let probes = self.probes();
        tokio::task::spawn_local(async move { probes.refresh().await });
        let serving = match self.serving().await {
            Ok(serving) => serving,
            Err(answer) => return answer,
        };
        let status = self.status(&serving);
        let nonce = random();
        let body = if whole {
            page::whole(&status, &self.forms, &nonce)
        } else {
            page::sections(&status, &self.forms)
        };
        html(StatusCode::OK, &nonce, body.into_string())
    }

    async fn json(&self) -> Answer {
        self.probes().refresh().await;
        match self.serving().await {
            Ok(serving) => {
                let body = serde_json::to_string(&self.status(&serving)).unwrap_or_default();
                answer(StatusCode::OK, "application/json", body)
            }
            Err(answer) => answer,
        }
    }

    async fn prometheus(&self) -> Answer {
        match self.serving().await {
            Ok(serving) => answer(
                StatusCode::OK,
                exposition::CONTENT_TYPE,
                self.metrics(&serving),
            ),
            Err(answer) => answer,
        }
    }

    async fn health(&self) -> Answer {
        match self.serving().await {
            Ok(_) => text(StatusCode::OK, "alive"),
            Err(answer) => answer,
        }
    }

    async fn readiness(&self) -> Answer {
        self.probes().refresh().await;
        let serving = match self.serving().await {
            Ok(serving) => serving,
            Err(answer) => return answer,
        };
        let rules = self.board.now();
        let missing = super::readiness::missing(&rules, &self.probes(), serving.draining);
        if missing.is_empty() {
            text(StatusCode::OK, "ready")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, missing.join("\n"))
        }
    }

    async fn roll_back(&self, request: Request<Incoming>) -> Answer {
        let body = Limited::new(request.into_body(), FORM_BYTES).collect();
        let sent = match timeout(FORM_TIME, body).await {
            Ok(Ok(body)) => forms::read(&body.to_bytes()),
            _ => None,
        };
        let Some(sent) = sent else {
            return text(
                StatusCode::BAD_REQUEST,
                "this is no form of the status page",
            );
        };
        if !self.forms.redeem(&sent, &self.board.now()) {
            return text(
                StatusCode::FORBIDDEN,
                "this form is not of this page, was sent already, or shows what is no longer so; open the status page again",
            );
        }
        tracing::info!("the status page wishes to roll rule {} back", sent.rule);
        let wish = ControlRequest::Rollback { rule: sent.rule };
        match timeout(WISH_TIME, wish.tell(&self.events)).await {
            Ok(Reply::Refused(reason)) => text(StatusCode::CONFLICT, reason),
            Ok(_) => see_the_page(),
            Err(_) => text(
                StatusCode::GATEWAY_TIMEOUT,
                "the gateway is still busy with rules and will do it then; look at the status page again",
            ),
        }
    }
}

fn see_the_page() -> Answer {
    let mut answer = text(StatusCode::SEE_OTHER, "done");
    let page = HeaderValue::from_static("/");
    answer.headers_mut().insert(LOCATION, page);
    answer
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, format!("use {allowed}"));
    let allowed = HeaderValue::from_static(allowed);
    answer.headers_mut().insert(ALLOW, allowed);
    answer
}
