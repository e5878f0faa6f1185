//! The request's part of an exchange's log line, kept until the exchange ends: by then the request itself is consumed.

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::source::Request;
use crate::telemetry::access_log;
use crate::telemetry::line_shares::LineShares;
use crate::telemetry::recorder::{Ended, Resource};
use coap::{Message, MessageType, PeerFacts, option};
use contract::Peer;
use runtime::Revision;
use share::Owner;

/// The characters of a path that are escaped in a log line: all that could pass for another field, or for a separator.
const IN_LOG_LINE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b':')
    .remove(b'@')
    .remove(b'$');

/// A request as its log line shows it, and the time when it came.
pub(super) struct AccessLogEntry {
    began: Instant,
    peer: Peer,
    owner: Owner,
    facts: PeerFacts,
    method: u8,
    /// Empty if the log level leaves the line out.
    path: String,
    message_type: &'static str,
    formats: [Option<u32>; 2],
    wire_bytes: usize,
}

impl AccessLogEntry {
    pub(super) fn new(request: &Request) -> Self {
        let message = &request.message;
        Self {
            began: Instant::now(),
            peer: request.peer.device.clone(),
            owner: request.peer.owner,
            facts: request.peer.facts,
            method: message.code,
            path: if tracing::enabled!(tracing::Level::INFO) {
                path(message)
            } else {
                String::new()
            },
            message_type: if request.message_type == MessageType::NonConfirmable {
                "NON"
            } else {
                "CON"
            },
            formats: [option::CONTENT_FORMAT, option::ACCEPT]
                .map(|number| message.uint_option(number)),
            wire_bytes: request.wire_bytes,
        }
    }

    /// Writes the line, if the host's share of the log has room for it. Returns the exchange's record for the status
    /// page. `rule`: the revision that was called. `upstream`: the last homeserver status, or the reason why there was
    /// none.
    pub(super) fn end<'a>(
        self,
        shares: &LineShares,
        resource: &'a Resource,
        rule: Option<&Revision>,
        upstream: Option<&'a str>,
        response: &Message,
    ) -> Ended<'a> {
        let [content_format, accept] = self.formats;
        let elapsed = self.began.elapsed();
        if tracing::enabled!(tracing::Level::INFO) && shares.admit(Instant::now(), self.owner) {
            tracing::info!(
                "{}",
                access_log::Line {
                    peer: &self.peer,
                    method: self.method,
                    path: &self.path,
                    message_type: self.message_type,
                    formats: [
                        content_format,
                        accept,
                        response.uint_option(option::CONTENT_FORMAT),
                    ],
                    rule: rule.map(|rule| (rule.name(), rule.digest())),
                    upstream,
                    code: response.code,
                    sizes: (self.wire_bytes, response.payload.len()),
                    elapsed,
                }
            );
        }
        Ended {
            peer: self.peer.id,
            principal: self.peer.principal.filter(|_| self.peer.authenticated),
            owner: self.owner,
            facts: self.facts,
            method: self.method,
            resource,
            upstream,
            code: response.code,
            elapsed,
        }
    }
}

fn path(request: &Message) -> String {
    let segments: Vec<_> = request
        .options(option::URI_PATH)
        .map(|segment| percent_encode(segment, IN_LOG_LINE).to_string())
        .collect();
    segments.join("/")
}
