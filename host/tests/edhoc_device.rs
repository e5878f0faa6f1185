//! A device with a key pair, and its handshakes with a gateway.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use coap::option::EDHOC;
use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::edhoc::{Ccs, Identity, Initiator, Random, Verified};
use secure::oscore::{Context, Identifier};
use serde_json::Value;

use crate::coaps_stage::{Stage, receive};

/// Message IDs of devices: they share a socket, and each has its own.
static NEXT_ID: AtomicU16 = AtomicU16::new(0x6000);

pub struct Device {
    pub identity: Identity,
    gateway: Ccs,
    pub socket: UdpSocket,
    pub context: Option<Context>,
    /// The last request as it left.
    pub sent: Vec<u8>,
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn random() -> Random {
    use std::hash::{BuildHasher, RandomState};
    Box::new(|bytes| {
        for (number, byte) in bytes.iter_mut().enumerate() {
            *byte = RandomState::new().hash_one(number) as u8;
        }
    })
}

/// A request with a message of EDHOC.
pub fn request(payload: Vec<u8>) -> Message {
    Message::new(code::POST)
        .with_option(option::URI_PATH, ".well-known")
        .with_option(option::URI_PATH, "edhoc")
        .with_uint_option(option::CONTENT_FORMAT, 65)
        .with_payload(payload)
}

/// message_3 behind C_R, a byte string of several bytes.
pub fn identified(verified: &Verified) -> Vec<u8> {
    let c_r = verified.c_r.as_bytes();
    [&[0x40 | c_r.len() as u8][..], c_r, &verified.message_3].concat()
}

/// A key pair of its own for each number.
pub fn identity(number: u8) -> Identity {
    Identity::new(&[number; 32], &[number]).expect("a key")
}

impl Device {
    /// As the operator has enrolled it by its CCS.
    pub fn enrol(stage: &Stage, name: &str, identity: Identity) -> Self {
        let ccs = hexadecimal(identity.ccs().as_bytes());
        let (code, said) = stage.devices(&["add", name, "--edhoc", &ccs, "--json"]);
        assert_eq!(code, 0, "{said}");
        let value: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(value["edhoc"]["device"]["hex"], *ccs, "the exact bytes");
        let gateway = value["edhoc"]["gateway"]["hex"].as_str().expect("digits");
        let (gateway, _) = Ccs::enrolled(gateway, &[]).expect("a credential");
        Self {
            identity,
            gateway,
            ..Self::unknown(stage)
        }
    }

    /// The gateway's credential.
    pub fn gateway(&self) -> &Ccs {
        &self.gateway
    }

    /// One that no operator has enrolled.
    pub fn unknown(stage: &Stage) -> Self {
        let identity = identity(99);
        Self {
            gateway: identity.ccs().clone(),
            identity,
            socket: stage.running.client.try_clone().expect("a descriptor"),
            context: None,
            sent: Vec::new(),
        }
    }

    /// Now with the gateway of this stage.
    pub fn move_to(&mut self, stage: &Stage) {
        self.socket = stage.running.client.try_clone().expect("a descriptor");
    }

    /// Sends a request, and returns its response. Proves its address if it is asked to.
    pub fn exchange(&mut self, message: Message) -> Message {
        let message_id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.sent = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id,
            token: Token::new(&message_id.to_be_bytes()).expect("it is short"),
            message,
        });
        self.socket.send(&self.sent).expect("it is sent");
        receive(&self.socket)
    }

    fn post(&mut self, payload: Vec<u8>) -> Message {
        self.exchange(request(payload))
    }

    /// message_1 and message_2.
    pub fn begin(&mut self) -> Verified {
        let c_i = Identifier::new(&[5]).expect("it is short");
        let (initiator, message_1) = Initiator::begin(c_i, &mut random()).expect("a key");
        let message_2 = self.post([&[0xf5][..], &message_1].concat());
        assert_eq!(message_2.code, code::CHANGED, "{message_2:?}");
        initiator
            .verify(&self.identity, &self.gateway, &message_2.payload)
            .expect("the gateway is authentic")
    }

    fn use_context(&mut self, verified: &Verified) {
        self.context = Some(Context::new(&verified.parameters, 0).expect("good parameters"));
    }

    /// A handshake with separate messages. The response to message_3 if it is an error.
    pub fn agree(&mut self) -> Result<(), Message> {
        let mut verified = self.begin();
        let response = self.post(identified(&verified));
        if response.code != code::CHANGED {
            return Err(response);
        }
        verified
            .verify_message_4(&response.payload)
            .expect("the gateway has the same secret");
        self.use_context(&verified);
        Ok(())
    }

    /// A handshake whose message_3 comes with this request. Its response, and whether it was protected.
    pub fn agree_with(&mut self, message: Message) -> (Message, bool) {
        let verified = self.begin();
        self.use_context(&verified);
        self.send(message, Some(&verified.message_3))
    }

    /// The response to a protected request, and whether it was protected. While the gateway stores sequence numbers
    /// after its start, it is 5.03.
    pub fn ask(&mut self, message: Message) -> (Message, bool) {
        let began = Instant::now();
        loop {
            let (response, is_protected) = self.send(message.clone(), None);
            if is_protected || response.code != code::SERVICE_UNAVAILABLE {
                return (response, is_protected);
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{response:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn send(&mut self, mut message: Message, message_3: Option<&[u8]>) -> (Message, bool) {
        let context = self.context.as_mut().expect("a handshake has come before");
        if let Some(end) = context.poll_reservation() {
            context.reserved(end);
        }
        let mut sent = context.protect_request(&mut message).expect("a number");
        if let Some(message_3) = message_3 {
            message.push_option(EDHOC, []);
            message.payload = [message_3, &message.payload[..]].concat();
        }
        let mut response = self.exchange(message);
        let context = self.context.as_mut().expect("it is still there");
        let is_protected = context.unprotect_response(&mut sent, &mut response).is_ok();
        (response, is_protected)
    }

    /// The response after an Echo, if the gateway asks for one.
    pub fn ask_again(&mut self, message: Message) -> (Message, bool) {
        let (response, is_protected) = self.ask(message.clone());
        match response.option(option::ECHO).map(<[u8]>::to_vec) {
            Some(echo) if is_protected => self.ask(message.with_option(option::ECHO, echo)),
            _ => (response, is_protected),
        }
    }
}
