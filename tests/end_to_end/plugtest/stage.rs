//! Parts that the rows share: a gateway with the resources of the list (`tests/plugtest_rule`), clients, and a wire
//! between them.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use coap_lite::{MessageClass, MessageType, Packet};
use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::{Request, Response};
use comatrix_tests::gateway::Gateway;
use comatrix_tests::libcoap;
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::stub::{Behaviour, Stub};
use comatrix_tests::wire::{Loss, Sender, Wire};
use serde_json::json;

/// How long `/plugtest/separate` takes: beyond the gateway's empty ACK, and beyond a client's first retransmission if
/// there were none.
const SLOW: Duration = Duration::from_millis(3_500);

const CONFIGURATION: &str = r#"
    [[rule]]
    name = "plugtest"
    component = "plugtest.wasm"
    allow = ["GET none standard /_matrix/client/v3/plugtest"]

    # The rows are about sizes that the peers agree upon, not about those for an address that may be spoofed.
    [limits]
    unproven_bytes = 65535
"#;

/// The gateway of all rows but the observations.
pub fn gateway() -> SocketAddr {
    static GATEWAY: OnceLock<(Gateway, Scratch)> = OnceLock::new();
    let (gateway, _) = GATEWAY.get_or_init(|| {
        let stub = Stub::always(Behaviour::Late(
            SLOW,
            Box::new(Behaviour::json(200, json!({ "slow": true }))),
        ));
        let scratch = Scratch::new("plugtest");
        let configuration = configuration(&scratch, "");
        let gateway = Gateway::start(&["--homeserver", &stub.origin, "--config", &configuration]);
        (gateway, scratch)
    });
    gateway.address
}

/// The configuration of a gateway with the resources of the list, below these settings.
pub fn configuration(scratch: &Scratch, settings: &str) -> String {
    let built = places::workspace().join("target/guest/plugtest.wasm");
    std::fs::copy(&built, scratch.path().join("plugtest.wasm"))
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guest`", built.display()));
    let configuration = scratch.write("gateway.toml", &format!("{settings}{CONFIGURATION}"));
    configuration.display().to_string()
}

/// The client of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Aiocoap,
    Libcoap,
}

pub const BOTH: [Client; 2] = [Client::Aiocoap, Client::Libcoap];

impl Client {
    /// An exchange over a wire of its own.
    pub fn exchange(self, request: &Request) -> Exchange {
        self.exchange_over(request, Loss::NOTHING)
    }

    /// An exchange over a wire that loses.
    pub fn exchange_over(self, request: &Request, loss: Loss) -> Exchange {
        let wire = Wire::to(gateway(), loss);
        let response = match self {
            Self::Aiocoap => Aiocoap::start(wire.address).request(request),
            Self::Libcoap => libcoap::request(wire.address, request),
        };
        Exchange { response, wire }
    }
}

/// libcoap with a block size, which it then asks for from the start.
pub fn libcoap_in_blocks(request: &Request, size: usize) -> Exchange {
    let wire = Wire::to(gateway(), Loss::NOTHING);
    let response = libcoap::request_with(wire.address, request, &["-b", &size.to_string()]);
    Exchange { response, wire }
}

/// The client's response, and the datagrams on the wire.
pub struct Exchange {
    pub response: Response,
    pub wire: Wire,
}

impl Exchange {
    /// The requests of the device in the order of the wire, repeats included.
    pub fn requests(&self) -> Vec<Packet> {
        let sent = self.wire.sent_by(Sender::Device).into_iter();
        sent.filter(|packet| matches!(packet.header.code, MessageClass::Request(_)))
            .collect()
    }

    /// The responses of the gateway in the order of the wire, repeats included.
    pub fn responses(&self) -> Vec<Packet> {
        let sent = self.wire.sent_by(Sender::Gateway).into_iter();
        sent.filter(|packet| matches!(packet.header.code, MessageClass::Response(_)))
            .collect()
    }

    /// The one request and the one response.
    pub fn pair(&self) -> (Packet, Packet) {
        let (mut requests, mut responses) = (self.requests(), self.responses());
        assert_eq!(
            (requests.len(), responses.len()),
            (1, 1),
            "{:?}",
            self.wire.captured()
        );
        (requests.remove(0), responses.remove(0))
    }

    /// Empty messages of the gateway, by type.
    pub fn empty_from_gateway(&self, message_type: MessageType) -> usize {
        let sent = self.wire.sent_by(Sender::Gateway).into_iter();
        sent.filter(|packet| {
            packet.header.code == MessageClass::Empty && packet.header.get_type() == message_type
        })
        .count()
    }

    /// Piggybacked: an ACK with the request's message ID and token (RFC 7252 §5.2.1).
    pub fn is_piggybacked(&self, code: &str) {
        let (request, response) = self.pair();
        assert_eq!(request.header.get_type(), MessageType::Confirmable);
        assert_eq!(response.header.get_type(), MessageType::Acknowledgement);
        assert_eq!(response.header.message_id, request.header.message_id);
        assert_eq!(response.get_token(), request.get_token());
        self.has_code(&response, code);
    }

    /// Non-confirmable both ways, with the request's token (RFC 7252 §5.2.3).
    pub fn is_non_confirmable(&self, code: &str) {
        let (request, response) = self.pair();
        assert_eq!(request.header.get_type(), MessageType::NonConfirmable);
        assert_eq!(response.header.get_type(), MessageType::NonConfirmable);
        assert_eq!(response.get_token(), request.get_token());
        assert_eq!(self.empty_from_gateway(MessageType::Acknowledgement), 0);
        self.has_code(&response, code);
    }

    fn has_code(&self, response: &Packet, code: &str) {
        assert_eq!(response.header.get_code(), code);
        assert_eq!(self.response.code, code, "the client's report");
    }
}

/// The values of an option of a packet.
pub fn values(packet: &Packet, number: u16) -> Vec<Vec<u8>> {
    let values = packet.get_option(number.into()).into_iter().flatten();
    values.cloned().collect()
}

/// Waits until `condition` holds; fails with `what` after a while.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
