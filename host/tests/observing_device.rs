//! A device that observes `/getmsg`, with its messages.

use std::net::SocketAddr;
use std::time::Duration;

use coap::{self, Datagram, Message, MessageType, Token, code, option};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::over_udp::receive;

const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for a message that must not come.
pub const A_WHILE: Duration = Duration::from_millis(700);

/// A device that observes.
pub struct Device {
    socket: UdpSocket,
    message_id: u16,
}

impl Device {
    pub async fn new(gateway: SocketAddr) -> Self {
        Self::at("127.0.0.1", gateway).await
    }

    /// A device at another loopback address.
    pub async fn at(address: &str, gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).await.expect("a free port");
        socket.connect(gateway).await.expect("it is an address");
        let message_id = 0;
        Self { socket, message_id }
    }

    pub async fn receive(&self) -> Datagram {
        let received = timeout(PATIENCE, receive(&self.socket)).await;
        received.expect("a datagram comes in time")
    }

    pub async fn send(&self, datagram: &Datagram) {
        let bytes = coap::encode(datagram);
        self.socket.send(&bytes).await.expect("it is sent");
    }

    pub async fn ask(&mut self, token: &str, message: Message) -> Datagram {
        self.message_id += 1;
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(token.as_bytes()).expect("it is short"),
            message,
        };
        self.send(&datagram).await;
        self.receive().await
    }

    /// Observes a room; the first response's body.
    pub async fn observe(&mut self, room: &str) -> String {
        let response = self.ask(room, get(room, Some(0))).await;
        assert!(
            response.message.option(option::OBSERVE).is_some(),
            "{response:?}"
        );
        body(&response)
    }

    /// The next notification, acknowledged; its body.
    pub async fn notified(&self) -> String {
        let notification = self.receive().await;
        self.acknowledge(&notification).await;
        body(&notification)
    }

    pub async fn acknowledge(&self, notification: &Datagram) {
        assert_eq!(notification.message_type, MessageType::Confirmable);
        let message_id = notification.message_id;
        let ack = Datagram::empty(MessageType::Acknowledgement, message_id);
        self.send(&ack).await;
    }

    /// Nothing comes.
    pub async fn is_left_alone(&self) {
        let received = timeout(A_WHILE, receive(&self.socket)).await;
        assert!(received.is_err(), "{received:?}");
    }
}

pub fn get(room: &str, observe: Option<u32>) -> Message {
    get_without_token(room, observe).with_option(option::ACCESS_TOKEN, "device-token")
}

pub fn get_without_token(room: &str, observe: Option<u32>) -> Message {
    let message = Message::new(code::GET)
        .with_option(option::URI_PATH, "getmsg")
        .with_option(option::URI_PATH, room)
        .with_uint_option(option::ACCEPT, 50);
    match observe {
        Some(value) => message.with_uint_option(option::OBSERVE, value),
        None => message,
    }
}

/// `body` of a JSON payload.
pub fn body(datagram: &Datagram) -> String {
    assert_eq!(datagram.message.code, code::CONTENT, "{datagram:?}");
    let json: serde_json::Value =
        serde_json::from_slice(&datagram.message.payload).expect("it is JSON");
    json["body"].as_str().unwrap_or_default().to_owned()
}
