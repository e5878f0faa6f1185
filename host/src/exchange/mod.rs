//! One exchange: a device's request, the rule that translates it, the homeserver calls that the rule asks for,
//! and the answer. The one place where `coap`, `rule` and `upstream` meet.

mod admission;
mod drive;
mod flow_id;
mod proxy_uri;
mod refusal;
mod seen;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::coap::{self, MessageType, code, option};
use crate::discovery;
use crate::rule::Revision;
use crate::upstream::Upstreams;
use drive::Trace;
use flow_id::FlowIds;
pub use refusal::Refusal;
use seen::Seen;

/// What every exchange shares.
pub struct Gateway {
    /// The rule that translates.
    pub revision: Arc<Revision>,
    /// Where its calls may go.
    pub upstreams: Upstreams,
    /// First path segments of resources that are switched off.
    pub disabled: Vec<String>,
    /// For all steps of an exchange, queue and name resolution included. A device that waits longer has given up.
    pub deadline: Duration,
    flow_ids: FlowIds,
}

/// A whole request and where it came from.
pub struct Request {
    /// The device.
    pub peer: SocketAddr,
    /// CON or NON.
    pub message_type: MessageType,
    /// With its body whole.
    pub message: coap::Message,
    /// Bytes on the wire, of all its blocks.
    pub wire_bytes: usize,
}

impl Gateway {
    /// A gateway for these rules and homeservers. `disabled`: first path segments that are switched off;
    /// `deadline`: for all steps of an exchange.
    #[must_use]
    pub fn new(
        revision: Arc<Revision>,
        upstreams: Upstreams,
        disabled: Vec<String>,
        deadline: Duration,
    ) -> Self {
        Self {
            revision,
            upstreams,
            disabled,
            deadline,
            flow_ids: FlowIds::new(),
        }
    }

    /// Answers a request and writes its log line. Every request gets an answer; errors are answers.
    pub async fn answer(&self, request: Request) -> coap::Message {
        let seen = Seen::of(&request);
        let mut trace = Trace::default();
        let response = match self
            .respond(request.peer, request.message, &mut trace)
            .await
        {
            Ok(response) => response,
            Err(refusal) => {
                match &refusal {
                    Refusal::RuleTrapped(trap) => tracing::error!("{trap}"),
                    Refusal::RuleBrokeContract(how) => {
                        tracing::error!("rule {} broke its contract: {how}", self.revision.name());
                    }
                    _ => {}
                }
                refusal.response()
            }
        };
        let rule = trace
            .called
            .then(|| (self.revision.name(), self.revision.digest()));
        seen.log(rule, trace.upstream.as_deref(), &response);
        response
    }

    /// The answer to a request that the gateway cannot take now, and its log line.
    #[must_use]
    pub fn refuse(request: &Request, refusal: &Refusal) -> coap::Message {
        let response = refusal.response();
        Seen::of(request).log(None, None, &response);
        response
    }

    async fn respond(
        &self,
        peer: SocketAddr,
        request: coap::Message,
        trace: &mut Trace,
    ) -> Result<coap::Message, Refusal> {
        let path = admission::path(&request)?;
        if admission::is_discovery(&path) {
            admission::admit_discovery(&request)?;
            return self.discovery(&request);
        }
        let found = admission::find(&request, &path, &self.revision, &self.disabled)?;
        let admitted = admission::admit(request, found, &self.revision, &self.upstreams)?;
        drive::drive(self, peer, admitted, trace).await
    }

    fn discovery(&self, request: &coap::Message) -> Result<coap::Message, Refusal> {
        let filters: Vec<&str> = request
            .options(option::URI_QUERY)
            .map(|query| std::str::from_utf8(query).map_err(|_| Refusal::UriPath))
            .collect::<Result<_, _>>()?;
        let links = discovery::core(self.revision.description(), &self.disabled, &filters);
        Ok(coap::Message::new(code::CONTENT)
            .with_uint_option(option::CONTENT_FORMAT, discovery::LINK_FORMAT.into())
            .with_payload(links))
    }
}
