//! The network between device and gateway, with somebody who replays what the device has sent.

use std::time::Duration;

use coap::Datagram;

use super::super::derivation_vectors::{SALT, parameters};
use super::super::*;
use super::device::Device;
use super::gateway::Gateway;
use super::nonces::{Key, Nonces};
use super::random::Random;

pub(super) struct World {
    random: Random,
    now: Instant,
    device: Device,
    gateway: Gateway,
    nonces: Nonces,
    /// All requests that the device has ever sent.
    wire: Vec<Datagram>,
    is_calm: bool,
    /// Contexts that were lost, because the store did not have them when the power failed.
    pub(super) lost: u8,
}

impl World {
    /// `is_agreed`: the context is not enrolled, but agreed on (EDHOC).
    pub(super) fn new(seed: u64, is_agreed: bool) -> Self {
        let mut random = Random::new(seed);
        let parameters = parameters(SALT, "67", "01", None);
        Self {
            now: Instant::now(),
            device: Device::new(&parameters),
            gateway: Gateway::new(parameters, is_agreed, &mut random),
            random,
            nonces: Nonces::default(),
            wire: Vec::new(),
            is_calm: false,
            lost: 0,
        }
    }

    /// The gateway has lost a context that nothing in its store tells of: device and gateway agree on another one, with
    /// other keys. What was recorded on the wire stays.
    fn agree_again(&mut self) {
        self.lost += 1;
        let mut parameters = parameters(SALT, "67", "01", None);
        parameters.master_salt = vec![self.lost];
        self.device.agree(&parameters);
        self.gateway.agree(parameters, &mut self.random);
        self.nonces.forget();
    }

    pub(super) fn step(&mut self) {
        match self.random.below(24) {
            0..8 => {
                let observes = self.random.once_in(3);
                self.request(observes);
            }
            8..11 => self.replay(),
            11..14 => self.gateway.write(),
            14..17 => self.gateway.confirm(),
            17..21 => self.gateway.notify(self.now),
            21 if !self.gateway.restart(&mut self.random) => self.agree_again(),
            21 => {}
            22 if self.random.once_in(2) => self.device.restart(),
            _ => self.now += Duration::from_millis(100 + self.random.below(5_000) as u64),
        }
        self.turn();
    }

    /// Nothing is lost any more: a request is accepted, after one challenge at most.
    pub(super) fn settle(&mut self) {
        self.is_calm = true;
        self.turn();
        self.gateway.write();
        for _ in 0..2 {
            self.gateway.confirm();
        }
        let before = self.accepted();
        for _ in 0..2 {
            self.now += Duration::from_secs(400);
            self.request(false);
            self.turn();
        }
        assert!(self.accepted() > before, "the device is shut out");
    }

    fn request(&mut self, observes: bool) {
        let request = self.device.request(observes);
        self.nonces.record(Key::Device, &request);
        self.wire.push(request.clone());
        if self.is_calm || !self.random.once_in(4) {
            self.gateway.take(self.now, &request);
        }
    }

    /// Somebody sends an old request again, as it was or as a new message.
    fn replay(&mut self) {
        if self.wire.is_empty() {
            return;
        }
        let index = self.random.below(self.wire.len());
        let mut request = self.wire[index].clone();
        if self.random.once_in(2) {
            request.message_id = self.random.below(65_536) as u16;
        }
        self.gateway.take(self.now, &request);
    }

    /// What the gateway sends leaves; some of it arrives, and is acknowledged.
    fn turn(&mut self) {
        for datagram in self.gateway.turn(self.now) {
            self.nonces.record(Key::Gateway, &datagram);
            if !self.is_calm && self.random.once_in(4) {
                continue;
            }
            if let Some(acknowledgement) = self.device.take(&datagram) {
                self.gateway.take(self.now, &acknowledgement);
            }
        }
    }

    pub(super) fn accepted(&self) -> usize {
        self.gateway.accepted.len()
    }

    pub(super) fn restarts(&self) -> usize {
        self.gateway.restarts
    }

    pub(super) fn own_numbers(&self) -> usize {
        self.nonces.own_of_gateway
    }

    pub(super) fn challenges(&self) -> usize {
        self.device.challenges
    }
}
