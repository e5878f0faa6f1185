//! A device and a gateway that share a context.

use std::time::Duration;

use coap::code;
use coap::option::URI_PATH;

use super::derivation_vectors::{SALT, parameters};
use super::*;

pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) device: Context,
    pub(super) gateway: Contexts,
    /// The gateway's.
    pub(super) parameters: Parameters,
    /// What the gateway's store has.
    pub(super) stored_end: u64,
    pub(super) stored_use: Used,
}

impl Pair {
    pub(super) fn new() -> Self {
        let parameters = parameters(SALT, "67", "01", None);
        let mut device = Context::new(&mirrored(&parameters), 0).expect("valid parameters");
        let end = device.poll_reservation().expect("a reservation");
        device.reserved(end);
        let mut pair = Self {
            now: Instant::now(),
            device,
            gateway: Contexts::new(8),
            parameters,
            stored_end: 0,
            stored_use: Used::default(),
        };
        pair.start();
        pair.store();
        pair
    }

    /// The gateway starts with what its store has.
    pub(super) fn start(&mut self) {
        self.gateway = Contexts::new(8);
        let added = self
            .gateway
            .add("kitchen".into(), &self.parameters, self.stored_end, None);
        added.expect("valid parameters");
        let kid = self.parameters.recipient_id;
        self.gateway.resume_use(kid, self.stored_use);
    }

    /// The gateway's store does what it is asked.
    pub(super) fn store(&mut self) {
        while let Some(reservation) = self.gateway.poll_reservation() {
            self.stored_end = reservation.end;
            self.stored_use = reservation.used;
            self.gateway.reserved(&reservation);
        }
    }

    /// A protected request of the device.
    pub(super) fn request(&mut self, mut message: Message) -> (SentRequest, Message) {
        if let Some(end) = self.device.poll_reservation() {
            self.device.reserved(end);
        }
        let sent = self.device.protect_request(&mut message);
        (sent.expect("protected"), message)
    }

    /// The gateway takes a request; `message` is the one inside afterwards.
    pub(super) fn take(&mut self, message: &mut Message) -> Result<Verified, Refused> {
        let taken = self.gateway.unprotect(self.now, message);
        taken.map(|verified| verified.expect("a protected request"))
    }

    /// The reason for which the gateway refuses a request.
    pub(super) fn refusal(&mut self, message: &Message) -> Refusal {
        self.take(&mut message.clone())
            .expect_err("it is refused")
            .reason
    }

    /// A protected response.
    pub(super) fn respond(&mut self, verified: &Verified, response: Message) -> Message {
        self.reply(verified, Reply::Response, response)
    }

    /// A protected notification.
    pub(super) fn notify(&mut self, verified: &Verified, notification: Message) -> Message {
        self.reply(verified, Reply::Notification, notification)
    }

    fn reply(&mut self, verified: &Verified, reply: Reply, mut response: Message) -> Message {
        let protected = self
            .gateway
            .protect(self.now, verified, reply, &mut response);
        protected.expect("protected");
        response
    }

    pub(super) fn advance(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

pub(super) fn get() -> Message {
    Message::new(code::GET).with_option(URI_PATH, "time")
}

pub(super) fn content(text: &str) -> Message {
    Message::new(code::CONTENT).with_payload(text)
}
