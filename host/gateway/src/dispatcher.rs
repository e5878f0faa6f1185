//! Passes requests from the endpoint to the gateway, responses back to the endpoint, and notifications from the
//! observations to the endpoint. It neither sends nor waits: the event loop does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::cost::{Cost, timed};
use crate::deferred_datagrams::{Datagram, DeferredDatagrams};
use crate::observe::{ObserveBroker, PollId, PollResult};
use crate::request::{Dispatch, Gateway, GatewayError, Response, Snapshot, Source};
use crate::secured::{Coaps, DeviceEndpoint, DeviceRequest};
use crate::status_observers::StatusObservers;
use crate::telemetry::address_lines::Notice;
use crate::time_shares::TimeShares;
use coap::{ExchangeId, HashedPeer, Message, ObservationId};
use secure::oscore::{Reservation, Verified};
use share::Owner;
use transport::{Cast, UdpPeer};

/// Notifications per turn of the event loop: a room with ten thousand observers must not delay requests.
const NOTIFICATIONS_PER_TURN: usize = 64;
/// The time for deferred datagrams before the sockets get a turn again.
const DEFERRED_TURN: Duration = Duration::from_micros(200);

/// The end of something that waited for a homeserver.
pub(crate) enum Completion {
    /// The response to a request.
    Exchange(ExchangeId, Response, Cost),
    /// The outcome of a long poll.
    LongPoll(PollId, PollResult),
    /// The attempt of a delivery that waited; the outbox has its result.
    Delivery,
    /// Whether reservations of sequence numbers are stored.
    Reserved(Vec<Reservation>, bool),
    /// The notification of what became of a message.
    Status(ObservationId, Message),
}

/// The endpoint, the observations, and the exchanges in flight.
pub(crate) struct Dispatcher<'a> {
    pub(crate) endpoint: DeviceEndpoint,
    pub(crate) observations: ObserveBroker,
    pub(crate) status_observers: StatusObservers,
    pub(crate) gateway: &'a Gateway,
    /// The snapshot whose limits the endpoint and the observations have.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) pending: FuturesUnordered<LocalBoxFuture<'a, Completion>>,
    pub(crate) time_shares: TimeShares,
    pub(crate) deferred: DeferredDatagrams,
    /// The addresses that the listeners are bound to.
    pub(crate) local_addresses: Vec<Option<SocketAddr>>,
    pub(crate) draining: bool,
    /// The sessions of secured devices; none while their socket is closed.
    pub(crate) coaps: Option<Coaps>,
    /// Protected messages that were refused.
    pub(crate) refused_messages: u64,
}

impl Dispatcher<'_> {
    /// Takes a datagram. That of a host above its share of the thread's time waits until there are no others.
    pub(crate) fn receive(&mut self, peer: UdpPeer, cast: Cast, datagram: &[u8]) {
        let now = Instant::now();
        let peer = self.endpoint.hashed(peer);
        let owner = peer.owner();
        if self.time_shares.must_wait(now, owner) {
            self.deferred.push(owner, peer.into_id(), cast, datagram);
        } else {
            self.process(now, owner, peer, cast, datagram);
        }
    }

    /// Processes datagrams that have waited, for a short time: new ones of other hosts come first.
    pub(crate) fn process_deferred(&mut self) {
        let mut now = Instant::now();
        let end = now + DEFERRED_TURN;
        while now < end
            && let Some(waited) = self.deferred.pop()
        {
            let Datagram {
                owner,
                peer,
                cast,
                bytes,
            } = waited;
            let peer = self.endpoint.hashed(peer);
            now = self.process(now, owner, peer, cast, &bytes);
        }
    }

    /// Processes a datagram, and charges its host with the time. Returns the time after it.
    fn process(
        &mut self,
        now: Instant,
        owner: Owner,
        peer: HashedPeer<UdpPeer>,
        cast: Cast,
        datagram: &[u8],
    ) -> Instant {
        match cast {
            Cast::Unicast => self.handle_datagram(now, owner, peer, datagram),
            Cast::Multicast => {
                self.endpoint
                    .handle_multicast(now, peer.into_id(), datagram);
                self.dispatch_requests(now, owner);
            }
        }
        let end = Instant::now();
        self.time_shares.charge(end, owner, end - now);
        end
    }

    /// Dispatches what a datagram has completed.
    pub(crate) fn dispatch_requests(&mut self, now: Instant, owner: Owner) {
        self.take_agreed();
        // At once and not after the batch: so a request that needs no homeserver is not in flight together with the
        // rest of the batch, and does not count for the device's limit.
        while let Some(incoming) = self.endpoint.poll_request() {
            self.dispatch(owner, incoming);
        }
        if let Some(peer) = self.endpoint.take_reused_id() {
            let lines = &self.gateway.address_lines;
            lines.log(now, Notice::ReusedMessageId, peer.remote.ip(), owner);
        }
        while let Some(first) = self.endpoint.poll_first_block() {
            self.judge(owner, first);
        }
    }

    /// Applies the current snapshot if it has changed.
    pub(crate) fn apply_snapshot(&mut self, now: Instant) {
        let next = self.gateway.snapshots.load();
        if Arc::ptr_eq(&self.snapshot, &next) {
            return;
        }
        let is_reconfigured = !next.is_configured_as(&self.snapshot);
        self.snapshot = next.clone();
        if is_reconfigured {
            if let Some(deliveries) = self.gateway.deliveries() {
                deliveries.reconfigure();
            }
            self.endpoint.set_limits(&self.snapshot.limits.coap);
            self.observations.reconfigure(&self.snapshot, now);
            self.apply_certificates(now);
        }
    }

    fn dispatch(&mut self, owner: Owner, incoming: DeviceRequest) {
        let Some(incoming) = self.handshake(owner, incoming) else {
            return;
        };
        let verified = incoming.protection.as_ref();
        let source = self.source(owner, incoming.request.peer, verified);
        // What the rule does with the request decides whether a proof is needed. Then it is processed once more.
        let may_need_proof = !source.facts.is_proven
            && self
                .gateway
                .may_need_proof(&incoming.request, &source.device);
        let for_proof = may_need_proof.then(|| incoming.clone());
        let DeviceRequest { id, request, .. } = incoming;
        let body = request.message.payload.len();
        let request = request.map_peer(|_| source);
        let error = if self.draining {
            Some(GatewayError::Draining)
        } else {
            // The rule's call holds at least as much: to find that out would cost a call of the rule.
            (!self.gateway.held_bytes.has_room(owner, body)).then_some(GatewayError::Busy)
        };
        if let Some(error) = error {
            let response = self.gateway.reject(&request, &error);
            self.endpoint.respond(Instant::now(), id, response);
            return;
        }
        let gateway = self.gateway;
        match gateway.dispatch(request) {
            Dispatch::Done(response) => self.respond(id, response),
            Dispatch::Pending(pending) => {
                self.pending.push(Box::pin(async move {
                    let (response, time) = timed(gateway.finish(pending)).await;
                    Completion::Exchange(id, response, Cost { owner, time })
                }));
            }
            Dispatch::NeedsProof => {
                let Some(incoming) = for_proof else {
                    // A reload has come in between.
                    let response = GatewayError::Busy.response();
                    return self.endpoint.respond(Instant::now(), id, response);
                };
                // It comes again when the address is proven.
                if let Some(incoming) = self.endpoint.prove_then(Instant::now(), incoming) {
                    self.dispatch(owner, incoming);
                }
            }
        }
    }

    pub(crate) fn complete(&mut self, completion: Completion) {
        match completion {
            Completion::Exchange(id, response, cost) => {
                let now = Instant::now();
                self.time_shares.charge(now, cost.owner, cost.time);
                self.respond(id, response);
            }
            Completion::LongPoll(id, result) => {
                self.observations.on_poll_result(Instant::now(), id, result)
            }
            Completion::Delivery => {}
            Completion::Reserved(reservations, is_stored) => {
                self.on_reserved(reservations, is_stored);
            }
            Completion::Status(id, message) => {
                self.endpoint.notify(Instant::now(), id, message);
            }
        }
    }

    /// Where a request of this peer comes from.
    pub(crate) fn source(
        &self,
        owner: Owner,
        peer: UdpPeer,
        verified: Option<&Verified>,
    ) -> Source {
        Source {
            device: self.device(peer, verified),
            owner,
            facts: self.endpoint.facts(Instant::now(), &peer),
            local: self.local_address(peer),
        }
    }

    /// The gateway's address and port that a peer speaks to.
    pub(crate) fn local_address(&self, peer: UdpPeer) -> Option<SocketAddr> {
        let bound = self
            .local_addresses
            .get(usize::from(peer.listener))
            .copied()
            .flatten()?;
        Some(
            peer.local
                .map_or(bound, |address| SocketAddr::new(address, bound.port())),
        )
    }

    /// Moves acknowledgements from the endpoint to the observations, and notifications back.
    pub(crate) fn notify(&mut self) {
        for _ in 0..NOTIFICATIONS_PER_TURN {
            while let Some(event) = self.endpoint.poll_observe_event() {
                self.on_observe_event(event);
            }
            let next = self.observations.next_notification(Instant::now());
            let Some((id, mut message)) = next else {
                return;
            };
            self.gateway.set_entity_tag(&mut message);
            self.endpoint.notify(Instant::now(), id, message);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.handle_session_timeout(now);
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.endpoint.next_timeout()) {
            self.endpoint.handle_timeout(now);
        }
        if is_due(self.observations.next_timeout()) {
            self.observations.handle_timeout(now);
            while let Some(call) = self.observations.next_long_poll(&self.snapshot, now) {
                let upstreams = self.snapshot.upstreams.clone();
                let sessions = self.gateway.sessions();
                self.pending.push(Box::pin(async move {
                    let (id, result) = call.make(&upstreams, sessions).await;
                    Completion::LongPoll(id, result)
                }));
            }
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let notifications = self.observations.has_ready().then(Instant::now);
        let times = [
            self.endpoint.next_timeout(),
            self.observations.next_timeout(),
            notifications,
            self.next_delivery(),
            self.coaps.as_ref().and_then(Coaps::next_timeout),
        ];
        times.into_iter().flatten().min()
    }
}
