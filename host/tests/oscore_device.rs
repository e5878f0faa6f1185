//! A device with a security context (OSCORE), as an operator of the running gateway enrols it.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::oscore::{Context, Identifier, MasterSecret, Parameters};
use serde_json::Value;

use crate::coaps_stage::{Stage, receive_for};

/// Message IDs of devices: they share a socket, and each has its own.
static FIRST_ID: AtomicU16 = AtomicU16::new(0x4000);

/// A device with its security context.
pub struct Device {
    context: Context,
    pub socket: UdpSocket,
    message_id: u16,
    /// The last request as it left.
    pub sent: Vec<u8>,
}

fn bytes(digits: &Value) -> Vec<u8> {
    let digits = digits.as_str().expect("digits");
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("digits"))
        .collect()
}

/// The security context of a device, from what the operator gets at its enrolment.
pub fn context(secret: &Value) -> Context {
    let parameters = Parameters {
        master_secret: MasterSecret::new(&bytes(&secret["secret"])).expect("16 bytes"),
        master_salt: bytes(&secret["salt"]),
        sender_id: Identifier::new(&bytes(&secret["sender_id"])).expect("short"),
        recipient_id: Identifier::new(&bytes(&secret["recipient_id"])).expect("short"),
        id_context: None,
    };
    Context::new(&parameters, 0).expect("good parameters")
}

impl Device {
    /// As the operator has enrolled it by this command.
    pub fn enrol(stage: &Stage, args: &[&str]) -> (Self, Value) {
        let (code, said) = stage.devices(&[args, &["--json"]].concat());
        assert_eq!(code, 0, "{said}");
        let value: Value = serde_json::from_str(&said).expect("JSON");
        let secret = value["oscore"].clone();
        let mut device = Self {
            context: context(&secret),
            socket: stage.running.client.try_clone().expect("a descriptor"),
            message_id: FIRST_ID.fetch_add(64, Ordering::Relaxed),
            sent: Vec::new(),
        };
        device.reserve();
        (device, secret)
    }

    /// A device of a test keeps its numbers in memory alone.
    fn reserve(&mut self) {
        if let Some(end) = self.context.poll_reservation() {
            self.context.reserved(end);
        }
    }

    /// Now with the gateway of this stage.
    pub fn move_to(&mut self, stage: &Stage) {
        self.socket = stage.running.client.try_clone().expect("a descriptor");
    }

    /// The response, and whether it was protected. While the gateway stores its sequence numbers, it is 5.03.
    pub fn ask(&mut self, message: Message) -> (Message, bool) {
        let began = Instant::now();
        loop {
            let (response, is_protected) = self.ask_once(message.clone());
            if is_protected || response.code != code::SERVICE_UNAVAILABLE {
                return (response, is_protected);
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{response:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask_once(&mut self, mut message: Message) -> (Message, bool) {
        self.reserve();
        let mut sent = self
            .context
            .protect_request(&mut message)
            .expect("a number");
        self.message_id += 1;
        self.sent = coap::encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(&self.message_id.to_be_bytes()).expect("it is short"),
            message,
        });
        self.socket.send(&self.sent).expect("it is sent");
        let mut response = receive_for(&self.socket, &self.sent);
        let is_protected = self
            .context
            .unprotect_response(&mut sent, &mut response)
            .is_ok();
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
