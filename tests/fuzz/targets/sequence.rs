//! Sequences of requests, ACKs, RSTs and bytes from several ports of several hosts, and a caller that responds,
//! notifies and asks for proofs. The endpoint must not panic, keep more than its limits, process a request twice,
//! process one that needs a proof without it, send an unproven address more than it may, or keep state for ever.
#![no_main]

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use comatrix_coap::option::{ECHO, URI_PATH};
use comatrix_coap::{
    Datagram, Endpoint, ExchangeId, Incoming, Limits, MAX_OPTIONS, Message, ObservationId,
    ObserveEvent, code, decode,
};
use comatrix_fuzz::sequence::{self, Event};
use libfuzzer_sys::fuzz_target;

/// A request is a duplicate for at least this long: NON_LIFETIME less the longest time until a proof.
const DUPLICATE: Duration = Duration::from_secs(40);

/// Small limits, so that they are reached.
fn limits() -> Limits {
    Limits {
        request_body: 4_096,
        response_body: 8_192,
        exchanges_per_peer: 4,
        exchanges: 8,
        observations: 4,
        observations_per_peer: 2,
        retained_responses_per_peer: 8,
        retained_response_bytes: 16_384,
        body_bytes: 32_768,
        non_confirmable_notifications: true,
        ..Limits::default()
    }
}

/// What a peer has received, and what it may.
#[derive(Default)]
struct Peer {
    last_id: u16,
    echo: Option<Vec<u8>>,
    allowed: usize,
    sent: usize,
    was_proven: bool,
}

/// An endpoint, its caller and its peers.
struct World {
    endpoint: Endpoint<SocketAddr>,
    limits: Limits,
    now: Instant,
    peers: HashMap<SocketAddr, Peer>,
    owed: VecDeque<(ExchangeId, bool)>,
    observations: BTreeSet<ObservationId>,
    notifying: BTreeSet<ObservationId>,
    processed: HashMap<(SocketAddr, Vec<u8>), Instant>,
    /// Message IDs and types of the requests in progress.
    latest: HashMap<SocketAddr, Vec<Datagram>>,
}

impl World {
    fn new() -> Self {
        let limits = limits();
        Self {
            endpoint: Endpoint::new(limits.clone(), [7; 16]),
            limits,
            now: Instant::now(),
            peers: HashMap::new(),
            owed: VecDeque::new(),
            observations: BTreeSet::new(),
            notifying: BTreeSet::new(),
            processed: HashMap::new(),
            latest: HashMap::new(),
        }
    }

    fn receive(&mut self, peer: SocketAddr, bytes: &[u8]) {
        let account = self.peers.entry(peer).or_default();
        account.allowed += self.limits.unproven_bytes.max(3 * bytes.len());
        self.endpoint.handle_datagram(self.now, peer, bytes);
    }

    fn happen(&mut self, event: Event<'_>) {
        match event {
            Event::Request(peer, shape) => {
                let echo = self.peers.get(&peer).and_then(|peer| peer.echo.as_deref());
                let datagram = shape.datagram(echo);
                let bytes = comatrix_coap::encode(&datagram);
                self.latest.entry(peer).or_default().push(datagram);
                self.receive(peer, &bytes);
            }
            Event::Empty(peer, message_type, beside) => {
                let last = self.peers.get(&peer).map_or(0, |peer| peer.last_id);
                let id = last.wrapping_add(beside);
                self.receive(peer, &sequence::empty(message_type, id));
            }
            Event::Bytes(peer, bytes) => self.receive(peer, bytes),
            Event::Wait(units) => self.wait(Duration::from_millis(10) * u32::from(units)),
            Event::Respond(code, length) => self.respond(code, length.into()),
            Event::Notify(number, length) => self.notify(number, length.into()),
        }
        self.settle();
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.endpoint.next_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.endpoint.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn respond(&mut self, code: u8, length: usize) {
        let Some((id, observes)) = self.owed.pop_front() else {
            return;
        };
        let response = Message::new(code | 0x40).with_payload(vec![code; length]);
        if observes {
            let renewed = self.endpoint.renews(id);
            let begun = self
                .endpoint
                .respond_observing(self.now, id, response, renewed);
            self.observations.extend(begun);
        } else {
            self.endpoint.respond(self.now, id, response);
        }
    }

    fn notify(&mut self, number: u8, length: usize) {
        let ids = self.observations.iter();
        let mut idle = ids.filter(|id| !self.notifying.contains(id));
        let Some(id) = idle.nth(usize::from(number) % 4).copied() else {
            return;
        };
        self.notifying.insert(id);
        let message = Message::new(code::CONTENT).with_payload(vec![number; length]);
        self.endpoint.notify(self.now, id, message);
    }

    /// Takes what the endpoint has for its caller and its peers, and checks it.
    fn settle(&mut self) {
        while let Some(incoming) = self.endpoint.poll_request() {
            self.serve(incoming);
        }
        while let Some(event) = self.endpoint.poll_observe_event() {
            match event {
                ObserveEvent::Delivered(id) => self.notifying.remove(&id),
                ObserveEvent::Ended(id, _) => {
                    self.notifying.remove(&id);
                    self.observations.remove(&id)
                }
            };
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let datagram = decode(&transmit.bytes).expect("own messages are valid");
            assert!(transmit.bytes.len() <= 1_024 + self.limits.response_options + 64);
            let peer = self.peers.entry(transmit.peer).or_default();
            peer.last_id = datagram.message_id;
            if let Some(value) = datagram.message.option(ECHO) {
                peer.echo = Some(value.to_vec());
            }
            peer.sent += transmit.bytes.len();
        }
        for (address, peer) in &mut self.peers {
            peer.was_proven |= self.endpoint.is_proven(self.now, address);
            assert!(
                peer.was_proven || peer.sent <= peer.allowed,
                "{address} got {} bytes of {}",
                peer.sent,
                peer.allowed
            );
        }
        self.check_bounds();
    }

    fn serve(&mut self, incoming: Incoming<SocketAddr>) {
        let message = &incoming.request.message;
        assert!(message.payload.len() <= self.limits.request_body);
        assert!(message.options.len() <= MAX_OPTIONS);
        let (peer, needs_proof) = (incoming.request.peer, message.code == code::PUT);
        let incoming = if needs_proof {
            let Some(incoming) = self.endpoint.prove_then(self.now, incoming) else {
                return;
            };
            assert!(self.endpoint.is_proven(self.now, &peer));
            incoming
        } else {
            incoming
        };
        self.check_processed_once(&incoming);
        self.owed
            .push_back((incoming.id, incoming.request.observes));
    }

    /// A request that is not safe is processed once, unless its response had to leave the store.
    fn check_processed_once(&mut self, incoming: &Incoming<SocketAddr>) {
        let request = &incoming.request;
        let sent = self.latest.get(&request.peer).into_iter().flatten().rev();
        let same = |datagram: &&Datagram| {
            datagram.message.code == request.message.code
                && datagram.message_type == request.message_type
                && datagram.message.option(URI_PATH) == request.message.option(URI_PATH)
                && datagram.message.payload == request.message.payload
        };
        // Bodies in blocks have other payloads; requests that look alike may be others. Other bytes with the same
        // message ID are another request.
        let mut sent = sent.filter(same).map(comatrix_coap::encode);
        let Some(bytes) = sent
            .next()
            .filter(|first| sent.all(|other| other == *first))
        else {
            return;
        };
        if code::is_safe(request.message.code) || request.message.code == code::FETCH {
            return;
        }
        let key = (request.peer, bytes);
        let before = self.processed.insert(key.clone(), self.now);
        let is_twice = before.is_some_and(|before| self.now < before + DUPLICATE);
        let was_evicted = self.endpoint.counters().retained_responses_evicted > 0;
        assert!(!is_twice || was_evicted, "{key:?} is processed twice");
    }

    fn check_bounds(&self) {
        let endpoint = &self.endpoint;
        let (exchanges, observations) = (self.limits.exchanges, self.limits.observations);
        assert!(endpoint.observations() <= observations);
        assert!(endpoint.deferred() <= exchanges && self.owed.len() <= exchanges);
        // Beside exchanges and responses: a notification of each observation, the last message of one that has
        // ended, and a ping of each peer.
        let most = exchanges + 2 * observations + self.peers.len();
        assert!(
            endpoint.in_flight() <= most,
            "{} in flight",
            endpoint.in_flight()
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut world = World::new();
    for event in sequence::read(bytes) {
        world.happen(event);
    }
    while !world.owed.is_empty() {
        world.respond(code::CHANGED, 0);
        world.settle();
    }
    for id in std::mem::take(&mut world.observations) {
        world
            .endpoint
            .notify(world.now, id, Message::new(code::NOT_FOUND));
    }
    world.settle();
    world.wait(Duration::from_secs(1_000));
    let endpoint = &world.endpoint;
    let left = (
        endpoint.in_flight(),
        endpoint.deferred(),
        endpoint.observations(),
    );
    assert_eq!((left, endpoint.next_timeout()), ((0, 0, 0), None));
});
