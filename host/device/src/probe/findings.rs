//! The results of a probe, as text for people or as one JSON object.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use coap::code::Dotted;
use serde_json::{Value, json};

use super::access::TokenPolicy;
use super::blocks::BlockWise;
use super::round_trip::RoundTrips;
use super::sizes::{LargestResponse, MAX_REQUEST, block_in};

/// What a path to a gateway carries.
#[derive(Debug)]
pub struct Findings {
    /// The 20 messages.
    pub round_trips: RoundTrips,
    /// The time until the RST to a ping.
    pub ping: Option<Duration>,
    /// Bytes of the largest request whose response arrived.
    pub largest_request: Option<usize>,
    /// The largest response that arrived.
    pub largest_response: Option<LargestResponse>,
    /// Payload of the first block when no size is asked for.
    pub unasked_block: Option<usize>,
    /// Responses in blocks.
    pub download: BlockWise,
    /// Requests in blocks.
    pub upload: BlockWise,
    /// Access tokens.
    pub policy: TokenPolicy,
    /// Whether the probe ended at its limit of messages or time, before all was measured.
    pub is_cut_short: bool,
    /// The most bytes that DTLS or OSCORE has added to a message: the sizes here are those of messages without it.
    pub overhead: usize,
}

impl Findings {
    /// Prints them for people.
    pub fn write_text(&self, out: &mut impl Write, gateway: SocketAddr) -> io::Result<()> {
        let RoundTrips { sent, .. } = &self.round_trips;
        writeln!(out, "path to {gateway}")?;
        match self.round_trips.spread() {
            Some([min, median, max]) => row(
                out,
                "round trip",
                format_args!(
                    "{} ms (min {}, max {})",
                    milliseconds(median),
                    milliseconds(min),
                    milliseconds(max)
                ),
            )?,
            None => row(out, "round trip", "no response to any message")?,
        }
        let lost = self.round_trips.lost();
        row(out, "loss", format_args!("{lost} of {sent} messages"))?;
        match self.ping {
            Some(time) => row(
                out,
                "ping",
                format_args!("RST after {} ms", milliseconds(time)),
            )?,
            None => row(
                out,
                "ping",
                "no RST: the gateway or the path drops empty messages",
            )?,
        }
        row(out, "requests", self.requests())?;
        row(out, "responses", self.responses())?;
        if let Some(bytes) = self.unasked_block {
            let text =
                format_args!("{bytes} bytes in the first block, if the device asks for no size");
            row(out, "", text)?;
        }
        row(
            out,
            "block-wise",
            format_args!("responses {}", block_wise(self.download)),
        )?;
        row(
            out,
            "",
            format_args!("requests {}", block_wise(self.upload)),
        )?;
        row(out, "access token", policy(self.policy, self.overhead > 0))?;
        if self.overhead > 0 {
            let more = self.overhead;
            row(
                out,
                "protection",
                format_args!("up to {more} bytes more for each message, beyond these sizes"),
            )?;
        }
        match self.is_cut_short {
            true => row(
                out,
                "incomplete",
                "the probe reached its limit of messages or time",
            ),
            false => Ok(()),
        }
    }

    /// Prints them as one JSON object on one line.
    pub fn write_json(&self, out: &mut impl Write, gateway: SocketAddr) -> io::Result<()> {
        let times = self.round_trips.spread();
        let time = |index: usize| times.map(|times| as_milliseconds(times[index]));
        let response = self.largest_response;
        let object = json!({
            "gateway": gateway.to_string(),
            "messages": self.round_trips.sent,
            "lost": self.round_trips.lost(),
            "round_trip_ms": { "min": time(0), "median": time(1), "max": time(2) },
            "ping_ms": self.ping.map(as_milliseconds),
            "largest_request": self.largest_request,
            "block_in_request": self.largest_request.and_then(block_in),
            "largest_response": response.map(|response| response.datagram),
            "largest_response_payload": response.map(|response| response.payload),
            "response_limited_to_block": response.and_then(|response| response.limited_to),
            "unasked_block": self.unasked_block,
            "block_wise_responses": block_wise_json(self.download),
            "block_wise_requests": block_wise_json(self.upload),
            "access_token": policy_name(self.policy),
            "incomplete": self.is_cut_short,
            "protection_bytes": self.overhead,
        });
        writeln!(out, "{object}")
    }

    fn requests(&self) -> String {
        match self.largest_request {
            None => "none arrives".to_owned(),
            Some(MAX_REQUEST) => {
                format!("{MAX_REQUEST} bytes arrive; the probe sends no larger ones")
            }
            Some(bytes) => {
                let advice = block_in(bytes).map_or_else(
                    || "too few for a block of 16 bytes with its options".to_owned(),
                    |block| format!("send blocks of at most {block} bytes (Block1)"),
                );
                format!("up to {bytes} bytes arrive: {advice}")
            }
        }
    }

    fn responses(&self) -> String {
        match self.largest_response {
            None => "none of the list of resources arrives".to_owned(),
            Some(LargestResponse {
                datagram,
                payload,
                limited_to: None,
            }) => format!(
                "{datagram} bytes arrive, {payload} of them payload; the gateway has no larger one"
            ),
            Some(LargestResponse {
                datagram,
                limited_to: Some(block),
                ..
            }) => format!("{datagram} bytes arrive: ask for blocks of {block} bytes (Block2)"),
        }
    }
}

fn row(out: &mut impl Write, name: &str, text: impl fmt::Display) -> io::Result<()> {
    writeln!(out, "  {name:<13} {text}")
}

fn block_wise(result: BlockWise) -> String {
    match result {
        BlockWise::Works => "arrive in blocks of 64 bytes".to_owned(),
        BlockWise::Fails => "in blocks of 64 bytes do not arrive".to_owned(),
        BlockWise::Refused(code) => format!(
            "in blocks: not measured, the gateway responds with {}",
            Dotted(code)
        ),
    }
}

fn block_wise_json(result: BlockWise) -> Value {
    match result {
        BlockWise::Works => true.into(),
        BlockWise::Fails => false.into(),
        BlockWise::Refused(_) => Value::Null,
    }
}

fn policy(policy: TokenPolicy, is_secured: bool) -> String {
    match policy {
        TokenPolicy::Gateways if is_secured => {
            "none needed: this device has logged in, or may use a configured one".to_owned()
        }
        TokenPolicy::Own if is_secured => {
            "needed: log in once, send one (option 256), or write `token` or `account` into [device.NAME]"
                .to_owned()
        }
        TokenPolicy::Gateways => {
            "none needed: the gateway uses its own for this address".to_owned()
        }
        TokenPolicy::GatewaysRejected => {
            "the gateway uses its own, and the homeserver rejects it: renew access_token_file"
                .to_owned()
        }
        TokenPolicy::NoHomeserver(code) => format!(
            "none needed, but the gateway gets no response from the homeserver ({}): read its log",
            Dotted(code)
        ),
        TokenPolicy::Own => {
            "needed: send one (option 256), or add this address to token_peers of the gateway"
                .to_owned()
        }
        TokenPolicy::Unproven => {
            "the gateway wants a proof of this address and does not accept its Echo option back"
                .to_owned()
        }
        TokenPolicy::Unknown(code) => {
            format!(
                "not measured: GET /getmsg gets {}; is the resource switched off?",
                Dotted(code)
            )
        }
        TokenPolicy::Silent => "not measured: no response to GET /getmsg".to_owned(),
    }
}

fn policy_name(policy: TokenPolicy) -> &'static str {
    match policy {
        TokenPolicy::Gateways => "gateway",
        TokenPolicy::GatewaysRejected => "gateway_rejected",
        TokenPolicy::NoHomeserver(_) => "gateway_without_homeserver",
        TokenPolicy::Own => "own",
        TokenPolicy::Unproven => "unproven",
        TokenPolicy::Unknown(_) | TokenPolicy::Silent => "unknown",
    }
}

fn as_milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", as_milliseconds(duration))
}
