//! Devices with OSCORE contexts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coap::{Endpoint, Limits, decode};

use super::application::{Application, principal};
use super::seeds::Tally;
use super::sides::{DEVICES, Gateway, Link};
use crate::oscore::tests::simulation::nonces::{Key, Nonces};
use crate::oscore::tests::simulation::random::Random;
use crate::oscore::tests::simulation::store::Store;
use crate::oscore::{Context, Contexts, ExchangeProtection, Identifier, MasterSecret, Parameters};

/// Milliseconds that a step of the gateway's store takes at most.
const WRITE: usize = 1_500;

/// The gateway's parameters for a device.
fn parameters(device: usize) -> Parameters {
    let secret = [device as u8 + 1; 16];
    let identifier = |bytes| Identifier::new(bytes).expect("few bytes");
    Parameters {
        master_secret: MasterSecret::new(&secret).expect("16 bytes"),
        master_salt: Vec::new(),
        sender_id: identifier(b"g"),
        recipient_id: identifier(&[0xa0, device as u8]),
        id_context: None,
    }
}

pub(super) struct OscoreGateway {
    random: Random,
    endpoint: Endpoint<u16, Contexts>,
    store: Store,
    /// When the store's next step is done.
    store_due: Option<Instant>,
    nonces: Rc<RefCell<Nonces>>,
    outbox: VecDeque<(u16, Vec<u8>)>,
}

fn endpoint(store: &Store, random: &mut Random) -> Endpoint<u16, Contexts> {
    let mut contexts = Contexts::new(DEVICES);
    for device in 0..DEVICES {
        let parameters = parameters(device);
        let end = store.end(parameters.recipient_id);
        contexts
            .add(principal(device).into(), &parameters, end, None)
            .expect("valid parameters");
    }
    Endpoint::with_protection(Limits::default(), random.bytes(), contexts)
}

impl OscoreGateway {
    fn ask(&mut self, now: Instant) {
        self.store.ask(self.endpoint.protection_mut());
        if self.store_due.is_none() && self.store.is_busy() {
            let pause = self.random.below(WRITE) as u64;
            self.store_due = Some(now + Duration::from_millis(pause));
        }
    }
}

impl Gateway for OscoreGateway {
    type Link = OscoreLink;

    fn new(now: Instant, mut random: Random) -> Self {
        let store = Store::default();
        let mut gateway = Self {
            endpoint: endpoint(&store, &mut random),
            random,
            store,
            store_due: None,
            nonces: Rc::default(),
            outbox: VecDeque::new(),
        };
        gateway.ask(now);
        gateway
    }

    fn link(&self, _: Instant, device: usize) -> OscoreLink {
        let of_gateway = parameters(device);
        let parameters = Parameters {
            sender_id: of_gateway.recipient_id,
            recipient_id: of_gateway.sender_id,
            ..of_gateway
        };
        OscoreLink {
            context: Context::new(&parameters, 0).expect("valid parameters"),
            parameters,
            stored_end: 0,
            exchange: ExchangeProtection::new(),
            nonces: self.nonces.clone(),
            outbox: VecDeque::new(),
        }
    }

    fn restart(&mut self, now: Instant) {
        self.store.cut(&mut self.random);
        self.endpoint = endpoint(&self.store, &mut self.random);
        self.store_due = None;
        self.outbox.clear();
        self.ask(now);
    }

    fn handle_datagram(&mut self, now: Instant, from: u16, datagram: &[u8]) {
        if let Ok(datagram) = decode(datagram) {
            self.nonces.borrow_mut().arrive(&datagram);
        }
        self.endpoint.handle_datagram(now, from, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        if self.store_due.is_some_and(|at| at <= now) {
            self.store_due = None;
            self.store.confirm(self.endpoint.protection_mut());
            self.store.write();
        }
        self.ask(now);
    }

    fn next_timeout(&self) -> Option<Instant> {
        let endpoint = self.endpoint.next_timeout();
        endpoint.into_iter().chain(self.store_due).min()
    }

    fn turn(&mut self, now: Instant, application: &mut Application) {
        application.turn(now, &mut self.endpoint, |incoming| {
            let verified = incoming.protection.as_ref()?;
            Some(verified.principal.clone())
        });
        self.ask(now);
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let datagram = decode(&transmit.bytes).expect("own messages are valid");
            self.nonces.borrow_mut().record(Key::Gateway, &datagram);
            self.outbox.push_back((transmit.peer, transmit.bytes));
        }
    }

    fn poll_transmit(&mut self) -> Option<(u16, Vec<u8>)> {
        self.outbox.pop_front()
    }

    fn check_bounds(&self) {
        assert!(self.endpoint.protection().len() <= DEVICES);
        assert!(self.endpoint.held_in_all().bytes <= Limits::default().held_bytes);
    }

    fn check_rest(&self) {
        assert_eq!(self.endpoint.held_in_all(), Default::default());
        assert_eq!(self.endpoint.in_flight(), 0);
    }

    fn count(&self, _: &mut Tally) {}
}

pub(super) struct OscoreLink {
    parameters: Parameters,
    context: Context,
    stored_end: u64,
    exchange: ExchangeProtection,
    nonces: Rc<RefCell<Nonces>>,
    outbox: VecDeque<Vec<u8>>,
}

impl Link for OscoreLink {
    fn is_ready(&self) -> bool {
        true
    }

    fn session(&self) -> u64 {
        0
    }

    fn begin(&mut self) {
        self.exchange = ExchangeProtection::new();
    }

    fn send(&mut self, _: Instant, plain: Vec<u8>) {
        if let Some(end) = self.context.poll_reservation() {
            self.stored_end = end;
            self.context.reserved(end);
        }
        let sent = self.exchange.outgoing(&mut self.context, plain);
        let bytes = sent.expect("a number");
        let datagram = decode(&bytes).expect("own messages are valid");
        self.nonces.borrow_mut().record(Key::Device, &datagram);
        self.outbox.push_back(bytes);
    }

    fn receive(&mut self, _: Instant, datagram: &[u8]) -> Vec<Vec<u8>> {
        let plain = self.exchange.incoming(&self.context, datagram);
        plain.into_iter().collect()
    }

    fn next_timeout(&self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    fn fail(&mut self, _: Instant) {}

    fn reboot(&mut self, _: Instant) {
        self.context = Context::new(&self.parameters, self.stored_end).expect("valid parameters");
        self.exchange = ExchangeProtection::new();
        self.outbox.clear();
    }
}
