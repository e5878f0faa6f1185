//! The requests of the status page and their responses.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use tokio::time::timeout;

use super::forms::{self, random};
use super::response::{PageResponse, html, response, text};
use super::state::Admin;
use super::{exposition, host_header, page, readiness};
use crate::control::{Reply, Requester};
use crate::rule_manager::{ControlRequest, send_command};
use crate::telemetry::recorder::LoopState;

/// Bytes of a form, and the time for it to come: a name and a token.
const FORM_BYTES: usize = 4 << 10;
const FORM_TIME: Duration = Duration::from_secs(5);
/// For the rule manager to carry out a command. If it takes longer, for example to compile, the manager continues with
/// it.
const COMMAND_TIME: Duration = Duration::from_secs(30);

impl Admin {
    /// The response to a request.
    pub(super) async fn respond(
        &self,
        request: Request<Incoming>,
        requester: &Requester,
    ) -> PageResponse {
        if !host_header::is_own(&request) {
            return text(
                StatusCode::MISDIRECTED_REQUEST,
                "the status page is served for localhost and 127.0.0.1 only; from other machines, use an SSH tunnel",
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
            "/rollback" if is_post => self.roll_back(request, requester).await,
            "/rollback" => not_allowed("POST"),
            "/" | "/live" | "/status.json" | "/metrics" | "/healthz" | "/readyz" => {
                not_allowed("GET, HEAD")
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "not found; there are /, /status.json, /metrics, /healthz and /readyz",
            ),
        }
    }

    /// The state of the event loop, or the response if the loop is stuck.
    async fn loop_state(&self) -> Result<LoopState, PageResponse> {
        self.recorder.loop_probe.query().await.ok_or_else(stuck)
    }

    /// The same, for the status page.
    async fn shown_state(&self) -> Result<LoopState, PageResponse> {
        let queried = self.recorder.loop_probe.query_with_holders().await;
        queried.ok_or_else(stuck)
    }

    async fn page(&self, whole: bool) -> PageResponse {
        // The page does not wait for homeservers; the next request shows their responses.
        let probes = self.probes();
        tokio::task::spawn_local(async move { probes.refresh().await });
        let state = match self.shown_state().await {
            Ok(state) => state,
            Err(response) => return response,
        };
        let status = self.status(&state);
        let nonce = random();
        let body = if whole {
            page::whole(&status, &self.forms, &nonce)
        } else {
            page::sections(&status, &self.forms)
        };
        html(StatusCode::OK, &nonce, body.into_string())
    }

    async fn json(&self) -> PageResponse {
        self.probes().refresh().await;
        match self.shown_state().await {
            Ok(state) => {
                let body = serde_json::to_string(&self.status(&state)).unwrap_or_default();
                response(StatusCode::OK, "application/json", body)
            }
            Err(response) => response,
        }
    }

    async fn prometheus(&self) -> PageResponse {
        match self.loop_state().await {
            Ok(state) => response(
                StatusCode::OK,
                exposition::CONTENT_TYPE,
                self.metrics(&state),
            ),
            Err(response) => response,
        }
    }

    async fn health(&self) -> PageResponse {
        match self.loop_state().await {
            Ok(_) => text(StatusCode::OK, "alive"),
            Err(response) => response,
        }
    }

    async fn readiness(&self) -> PageResponse {
        self.probes().refresh().await;
        let state = match self.loop_state().await {
            Ok(state) => state,
            Err(response) => return response,
        };
        let rules = self.rule_status.now();
        let obstacles = readiness::obstacles(&rules, &self.probes(), state.draining);
        if obstacles.is_empty() {
            text(StatusCode::OK, "ready")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, obstacles.join("\n"))
        }
    }

    async fn roll_back(&self, request: Request<Incoming>, requester: &Requester) -> PageResponse {
        let body = Limited::new(request.into_body(), FORM_BYTES).collect();
        let sent = match timeout(FORM_TIME, body).await {
            Ok(Ok(body)) => forms::read(&body.to_bytes()),
            _ => None,
        };
        let Some(sent) = sent else {
            return text(StatusCode::BAD_REQUEST, "not a form of the status page");
        };
        if !self.forms.redeem(&sent, &self.rule_status.now()) {
            return text(
                StatusCode::FORBIDDEN,
                "the form is invalid, was sent before, or is out of date; reload the status page",
            );
        }
        let command = ControlRequest::Rollback { rule: sent.rule };
        let reply = send_command(command, requester.clone(), &self.events);
        match timeout(COMMAND_TIME, reply).await {
            Ok(Reply::Refused(reason)) => text(StatusCode::CONFLICT, reason),
            Ok(_) => see_the_page(),
            Err(_) => text(
                StatusCode::GATEWAY_TIMEOUT,
                "the gateway is busy with rules and will carry this out later; reload the status page to see the \
                 result",
            ),
        }
    }
}

fn see_the_page() -> PageResponse {
    let mut response = text(StatusCode::SEE_OTHER, "done");
    let page = HeaderValue::from_static("/");
    response.headers_mut().insert(LOCATION, page);
    response
}

fn stuck() -> PageResponse {
    text(
        StatusCode::SERVICE_UNAVAILABLE,
        "the event loop is stuck; restart the gateway",
    )
}

fn not_allowed(allowed: &'static str) -> PageResponse {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("use {allowed}"));
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}
