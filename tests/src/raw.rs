//! Datagrams byte by byte: for messages that no well-behaved client would send, and for the message layer.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use coap_lite::{MessageClass, MessageType, Packet};

/// A UDP socket that talks to one gateway.
#[derive(Debug)]
pub struct Raw(UdpSocket);

impl Raw {
    /// Binds a free port of the loopback address and connects it.
    pub fn connect(gateway: SocketAddr) -> Self {
        let local = match gateway {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self::connect_from(local, gateway)
    }

    /// As [`Raw::connect`], from this address: each in 127.0.0.0/8 is another host.
    pub fn connect_from(local: IpAddr, gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind((local, 0)).expect("the loopback address has a free port");
        socket
            .connect(gateway)
            .expect("a UDP socket connects to any address");
        Self(socket)
    }

    /// Sends a datagram. Nobody need be there to receive it.
    pub fn send(&self, datagram: &[u8]) {
        // The error of a datagram before, which nobody received, comes here: then this one has not left.
        let sent = self.0.send(datagram).or_else(|_| self.0.send(datagram));
        match sent {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            other => drop(other.expect("loopback takes it")),
        }
    }

    /// The next datagram; none when `limit` passes.
    pub fn receive(&self, limit: Duration) -> Option<Vec<u8>> {
        self.0
            .set_read_timeout(Some(limit))
            .expect("the limit is not zero");
        let mut buffer = [0; 2048];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(buffer[..length].to_vec())
    }

    /// The next datagram as a message; none when `limit` passes.
    pub fn receive_message(&self, limit: Duration) -> Option<Packet> {
        self.receive(limit).map(|datagram| {
            Packet::from_bytes(&datagram)
                .unwrap_or_else(|error| panic!("{error} in {datagram:02x?}"))
        })
    }

    /// Acknowledges a message.
    pub fn acknowledge(&self, message: &Packet) {
        self.send_empty(MessageType::Acknowledgement, message);
    }

    /// Rejects a message, or responds to a ping.
    pub fn reset(&self, message: &Packet) {
        self.send_empty(MessageType::Reset, message);
    }

    fn send_empty(&self, message_type: MessageType, message: &Packet) {
        let mut empty = Packet::new();
        empty.header.set_type(message_type);
        empty.header.code = MessageClass::Empty;
        empty.header.message_id = message.header.message_id;
        self.send(&empty.to_bytes().expect("an empty message fits"));
    }
}

/// A confirmable request without payload and options other than Uri-Path.
pub fn confirmable(
    method: coap_lite::RequestType,
    path: &str,
    message_id: u16,
    token: &[u8],
) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(MessageType::Confirmable);
    packet.header.code = MessageClass::Request(method);
    packet.header.message_id = message_id;
    packet.set_token(token.to_vec());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        packet.add_option(coap_lite::CoapOption::UriPath, segment.as_bytes().to_vec());
    }
    packet
}
