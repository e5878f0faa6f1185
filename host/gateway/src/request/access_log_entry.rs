//! What the log line of an exchange says of its request, kept while the request itself is used up.

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{Gateway, Request};
use crate::telemetry::access_log;
use crate::telemetry::recorder::{Ended, Resource};
use coap::{Message, MessageType, option};
use contract::Peer;
use runtime::Revision;

/// What a path shows as in a log line: nothing that could be taken for another field, or for a separator.
const IN_LOG_LINE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b':')
    .remove(b'@')
    .remove(b'$');

/// A request as its log line shows it.
pub(super) struct AccessLogEntry {
    began: Instant,
    peer: Peer,
    method: u8,
    /// Empty where the line is not written anyway.
    path: String,
    message_type: &'static str,
    formats: [Option<u32>; 2],
    wire_bytes: usize,
}

impl AccessLogEntry {
    pub(super) fn of(request: &Request) -> Self {
        let message = &request.message;
        Self {
            began: Instant::now(),
            peer: request.peer.clone(),
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

    /// Writes the line, and records the exchange. `rule`: where one was called; `upstream`: the last homeserver status, or
    /// why there was none.
    pub(super) fn end(
        self,
        gateway: &Gateway,
        resource: &Resource,
        rule: Option<&Revision>,
        upstream: Option<&str>,
        response: &Message,
    ) {
        let [content_format, accept] = self.formats;
        let elapsed = self.began.elapsed();
        let ended = Ended {
            peer: self.peer.id,
            method: self.method,
            resource,
            upstream,
            code: response.code,
            elapsed,
        };
        gateway
            .recorder
            .ended(&gateway.snapshots.load().rules, &ended);
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
}

fn path(request: &Message) -> String {
    let segments: Vec<_> = request
        .options(option::URI_PATH)
        .map(|segment| percent_encode(segment, IN_LOG_LINE).to_string())
        .collect();
    segments.join("/")
}
