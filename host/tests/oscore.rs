//! Devices with security contexts (OSCORE) on the plain port: enrolled by an operator of the running gateway.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, MessageType, Token, code, option};
use secure::oscore::{Context, Identifier, MasterSecret, Parameters};
use serde_json::Value;

use crate::coaps_stage::{LONG, Stage};
use crate::exchange::request;

/// Message IDs of devices: they share a socket, and each has its own.
static FIRST_ID: AtomicU16 = AtomicU16::new(0x4000);

/// A device with its security context.
struct Device {
    context: Context,
    socket: UdpSocket,
    message_id: u16,
    /// The last request as it left.
    sent: Vec<u8>,
}

fn bytes(digits: &Value) -> Vec<u8> {
    let digits = digits.as_str().expect("digits");
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("digits"))
        .collect()
}

impl Device {
    /// As the operator has enrolled it by this command.
    fn enrol(stage: &Stage, args: &[&str]) -> (Self, Value) {
        let (code, said) = stage.devices(&[args, &["--json"]].concat());
        assert_eq!(code, 0, "{said}");
        let value: Value = serde_json::from_str(&said).expect("JSON");
        let secret = value["oscore"].clone();
        let parameters = Parameters {
            master_secret: MasterSecret::new(&bytes(&secret["secret"])).expect("16 bytes"),
            master_salt: bytes(&secret["salt"]),
            sender_id: Identifier::new(&bytes(&secret["sender_id"])).expect("short"),
            recipient_id: Identifier::new(&bytes(&secret["recipient_id"])).expect("short"),
            id_context: None,
        };
        let mut device = Self {
            context: Context::new(&parameters, 0).expect("good parameters"),
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
    fn move_to(&mut self, stage: &Stage) {
        self.socket = stage.running.client.try_clone().expect("a descriptor");
    }

    /// The response, and whether it was protected. While the gateway stores its sequence numbers, it is 5.03.
    fn ask(&mut self, message: Message) -> (Message, bool) {
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
        let mut response = self.receive();
        let is_protected = self
            .context
            .unprotect_response(&mut sent, &mut response)
            .is_ok();
        (response, is_protected)
    }

    /// The next response.
    fn receive(&self) -> Message {
        let mut buffer = [0; 2048];
        loop {
            let length = self.socket.recv(&mut buffer).expect("a response comes");
            let datagram = coap::decode(&buffer[..length]).expect("CoAP");
            if datagram.message_type == MessageType::Confirmable {
                let acknowledgement = Datagram {
                    message_type: MessageType::Acknowledgement,
                    message_id: datagram.message_id,
                    token: Token::default(),
                    message: Message::new(code::EMPTY),
                };
                self.socket
                    .send(&coap::encode(&acknowledgement))
                    .expect("it is sent");
            }
            if datagram.message.code != code::EMPTY {
                return datagram.message;
            }
        }
    }

    /// The response after an Echo, if the gateway asks for one.
    fn ask_again(&mut self, message: Message) -> (Message, bool) {
        let (response, is_protected) = self.ask(message.clone());
        match response.option(option::ECHO).map(<[u8]>::to_vec) {
            Some(echo) if is_protected => self.ask(message.with_option(option::ECHO, echo)),
            _ => (response, is_protected),
        }
    }
}

fn text_to_room(text: &str) -> Message {
    request(code::PUT, "send/!a:h")
        .with_uint_option(option::CONTENT_FORMAT, 0)
        .with_option(option::ACCESS_TOKEN, "syt_of_kitchen")
        .with_payload(text)
}

fn texts(stage: &Stage) -> usize {
    let received = stage.stub.received();
    received
        .iter()
        .filter(|one| one.target.contains("/send/"))
        .count()
}

#[test]
fn an_enrolled_device_sends_and_reads_protected_and_is_named_in_the_log() {
    let stage = Stage::start("oscore-story");
    let (mut kitchen, secret) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (time, is_protected) = kitchen.ask(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let (sent, is_protected) = kitchen.ask(text_to_room("protected"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(texts(&stage), 1);
    let read =
        request(code::GET, "getmsg/!a:h").with_option(option::ACCESS_TOKEN, "syt_of_kitchen");
    let (read, is_protected) = kitchen.ask(read.with_uint_option(option::ACCEPT, 0));
    assert!(
        is_protected && LONG.as_bytes().starts_with(&read.payload),
        "{read:?}"
    );
    let (_, log) = stage.restart();
    assert!(log.contains("principal=kitchen"), "{log}");
    assert!(
        !log.contains(secret["secret"].as_str().expect("digits")),
        "no secret is logged"
    );
}

#[test]
fn after_a_restart_a_replay_changes_nothing_and_the_device_goes_on_with_an_echo() {
    let stage = Stage::start("oscore-restart");
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (sent, _) = kitchen.ask_again(text_to_room("first"));
    assert_eq!(sent.code, code::CHANGED, "{sent:?}");
    let replay = kitchen.sent.clone();
    let (stage, _) = stage.restart();
    kitchen.move_to(&stage);
    kitchen.socket.send(&replay).expect("it is sent");
    kitchen.receive();
    assert_eq!(texts(&stage), 1, "the replay was not carried out");
    let (sent, is_protected) = kitchen.ask(text_to_room("second"));
    assert!(is_protected && sent.code == code::UNAUTHORIZED, "{sent:?}");
    assert!(sent.option(option::ECHO).is_some(), "{sent:?}");
    let (sent, is_protected) = kitchen.ask_again(text_to_room("second"));
    assert!(is_protected && sent.code == code::CHANGED, "{sent:?}");
    assert_eq!(texts(&stage), 2);
    // From another address: from its own, it would count as a retransmission.
    let gateway = kitchen.socket.peer_addr().expect("it is connected");
    kitchen.socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    kitchen.socket.connect(gateway).expect("it is an address");
    kitchen.socket.send(&replay).expect("it is sent");
    let refused = kitchen.receive();
    assert_eq!(refused.code, code::UNAUTHORIZED, "{refused:?}");
    assert_eq!(texts(&stage), 2);
}

#[test]
fn the_former_secret_is_void_after_a_rotation_and_the_new_one_after_a_removal() {
    let stage = Stage::start("oscore-rotated");
    let (mut before, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    assert!(before.ask_again(request(code::GET, "time")).1);
    let (mut rotated, secret) = Device::enrol(&stage, &["rotate", "kitchen"]);
    let (refused, is_protected) = before.ask(request(code::GET, "time"));
    assert!(
        !is_protected && refused.code == code::BAD_REQUEST,
        "{refused:?}"
    );
    let (time, is_protected) = rotated.ask_again(request(code::GET, "time"));
    assert!(is_protected && time.code == code::CONTENT, "{time:?}");
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("kitchen  OSCORE secret "), "{said}");
    assert!(!said.contains(secret["secret"].as_str().expect("digits")));
    assert_eq!(stage.devices(&["remove", "kitchen"]).0, 0);
    let (refused, is_protected) = rotated.ask(request(code::GET, "time"));
    assert!(
        !is_protected && refused.code == code::UNAUTHORIZED,
        "{refused:?}"
    );
    let (stage, log) = stage.restart();
    assert!(log.contains("in the name of kitchen"), "{log}");
    let (_, said) = stage.devices(&["list"]);
    assert!(said.contains("no devices are enrolled"), "{said}");
}

#[test]
fn a_device_may_do_what_the_operator_has_granted_and_plain_ones_get_the_time_alone() {
    let rights =
        "require_secured = true\n[device.kitchen]\nmay = [\"PUT /send/*\", \"GET /getmsg/!a:h\"]\n";
    let stage = Stage::start_with("oscore-rights", rights);
    let (mut kitchen, _) = Device::enrol(&stage, &["add", "kitchen", "--oscore"]);
    let (mut roof, _) = Device::enrol(&stage, &["add", "roof", "--oscore"]);
    assert_eq!(kitchen.ask(text_to_room("granted")).0.code, code::CHANGED);
    for path in ["getmsg/!b:h", "time"] {
        let (refused, is_protected) = kitchen.ask(request(code::GET, path));
        assert!(
            is_protected && refused.code == code::FORBIDDEN,
            "{refused:?}"
        );
    }
    assert_eq!(roof.ask(request(code::GET, "time")).0.code, code::CONTENT);
    let mut plain = stage.running;
    assert_eq!(
        plain.exchange(request(code::GET, "time")).code,
        code::CONTENT
    );
    let refused = plain.exchange(request(code::GET, "getmsg/!a:h"));
    assert_eq!(refused.code, code::FORBIDDEN, "{refused:?}");
}
