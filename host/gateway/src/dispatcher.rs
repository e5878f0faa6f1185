//! What is served, step by step: requests into exchanges, their answers back, observations in between. It sends and waits for
//! nothing itself; the loop around it does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::observe::{ObserveBroker, PollId, Polled};
use crate::request::{Dispatch, Gateway, GatewayError, Request, Response, SideEffect, Snapshot};
use crate::telemetry::recorder::LoopState;
use coap::{Endpoint, ExchangeId, Incoming};
use transport::{Cast, UdpPeer};

/// Notifications sent before anything else is done: a room with ten thousand observers must not keep requests waiting.
const NOTIFICATIONS_PER_TURN: usize = 64;
/// Bytes of request bodies in flight: 256 of the largest Matrix events. Beyond it new requests are answered 5.03, or a slow
/// homeserver and a few busy devices would take all of a router's memory.
const BODIES_IN_FLIGHT: usize = 16 << 20;

/// What was waited for.
pub(crate) enum Done {
    /// The answer to a request whose body had this many bytes.
    Answered(ExchangeId, Response, usize),
    /// What came of asking a homeserver on behalf of observers.
    Polled(PollId, Polled),
}

/// What is served, and what is under way.
pub(crate) struct Dispatcher<'a> {
    pub(crate) endpoint: Endpoint<UdpPeer>,
    pub(crate) hub: ObserveBroker,
    pub(crate) gateway: &'a Gateway,
    /// What serves, as far as endpoint and observations have heard.
    pub(crate) service: Arc<Snapshot>,
    pub(crate) pending: FuturesUnordered<LocalBoxFuture<'a, Done>>,
    /// Bytes of request bodies in flight.
    pub(crate) bodies: usize,
    /// Where the transport listens.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) draining: bool,
}

impl Dispatcher<'_> {
    pub(crate) fn receive(&mut self, now: Instant, peer: UdpPeer, arrival: Cast, datagram: &[u8]) {
        match arrival {
            Cast::Unicast => self.endpoint.handle_datagram(now, peer, datagram),
            Cast::Multicast => self.endpoint.handle_multicast(now, peer, datagram),
        }
        // At once and not after the batch: what needs no homeserver is then never in flight beside the rest of the batch,
        // and so never above a device's bound.
        while let Some(incoming) = self.endpoint.poll_request() {
            self.begin(incoming);
        }
    }

    /// Goes over to what serves now, if that is another service than before.
    pub(crate) fn follow(&mut self, now: Instant) {
        let next = self.gateway.snapshots.load();
        if Arc::ptr_eq(&self.service, &next) {
            return;
        }
        let is_configured_anew = !next.is_configured_as(&self.service);
        self.service = next.clone();
        if is_configured_anew {
            self.endpoint.set_limits(&self.service.limits.coap);
            self.hub.reconfigure(&self.service, now);
        }
    }

    fn begin(&mut self, incoming: Incoming<UdpPeer>) {
        let id = incoming.id;
        let body = incoming.request.payload.len();
        let request = Request {
            peer: incoming.peer.remote,
            local: self.local.map(|listening| match incoming.peer.local {
                Some(address) => SocketAddr::new(address, listening.port()),
                None => listening,
            }),
            multicast: incoming.multicast,
            observes: incoming.observes,
            message_type: incoming.message_type,
            message: incoming.request,
            wire_bytes: incoming.wire_bytes,
        };
        let refusal = if self.draining {
            Some(GatewayError::Draining)
        } else {
            (self.bodies + body > BODIES_IN_FLIGHT).then_some(GatewayError::Busy)
        };
        if let Some(refusal) = refusal {
            let response = self.gateway.refuse(&request, &refusal);
            self.endpoint.respond(Instant::now(), id, response);
            return;
        }
        let gateway = self.gateway;
        match gateway.begin(request) {
            Dispatch::Answered(answer) => self.respond(id, answer),
            Dispatch::PendingExchange(waiting) => {
                self.bodies += body;
                self.pending.push(Box::pin(async move {
                    Done::Answered(id, gateway.finish(waiting).await, body)
                }));
            }
        }
    }

    pub(crate) fn finish(&mut self, done: Done) {
        match done {
            Done::Answered(id, answer, body) => {
                self.bodies -= body;
                self.respond(id, answer);
            }
            Done::Polled(id, polled) => self.hub.polled(Instant::now(), id, polled),
        }
    }

    /// Answers a request, and does what follows.
    fn respond(&mut self, id: ExchangeId, answer: Response) {
        let now = Instant::now();
        let mut message = answer.message;
        match answer.side_effect {
            None => self.endpoint.respond(now, id, message),
            Some(SideEffect::LoggedOut(account)) => {
                self.endpoint.respond(now, id, message);
                self.hub.logged_out(&account);
            }
            // It would end with the gateway, and nobody would tell the device.
            Some(SideEffect::Observation(_)) if self.draining => {
                self.endpoint.respond(now, id, message);
            }
            Some(SideEffect::Observation(registration)) => {
                let prepared = self.hub.prepare(&self.service, now, *registration);
                let Some(prepared) = prepared else {
                    return self.endpoint.respond(now, id, message);
                };
                let renewed = self.endpoint.renews(id);
                let renewed = renewed.filter(|renewed| self.hub.goes_on(*renewed, &prepared));
                if let Some(told) = renewed.and_then(|renewed| self.hub.told_last(renewed)) {
                    message = told;
                }
                self.hub.keep_fresh(&mut message);
                let response = message.clone();
                let begun = self.endpoint.respond_observing(now, id, response, renewed);
                self.hub.start(now, begun, prepared, message);
            }
        }
    }

    /// Moves between endpoint and observations: what arrived, and what is to be told.
    pub(crate) fn notify(&mut self) {
        for _ in 0..NOTIFICATIONS_PER_TURN {
            while let Some(event) = self.endpoint.poll_observe_event() {
                self.hub.observed(Instant::now(), event);
            }
            let Some((id, message)) = self.hub.poll_notification(Instant::now()) else {
                return;
            };
            self.endpoint.notify(Instant::now(), id, message);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.endpoint.next_timeout()) {
            self.endpoint.handle_timeout(now);
        }
        if is_due(self.hub.next_timeout()) {
            self.hub.handle_timeout(now);
            while let Some(call) = self.hub.next_long_poll(&self.service, now) {
                let upstreams = self.service.upstreams.clone();
                self.pending.push(Box::pin(async move {
                    let (id, polled) = call.make(&upstreams).await;
                    Done::Polled(id, polled)
                }));
            }
        }
    }

    /// For whoever asks how it goes.
    pub(crate) fn state(&self) -> LoopState {
        let (observations, polls) = self.hub.size();
        LoopState {
            counters: self.endpoint.counters(),
            in_flight: self.endpoint.in_flight(),
            bodies: self.bodies,
            observations,
            polls,
            polls_refused: self.hub.refused_polls(),
            draining: self.draining,
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let notifications = self.hub.has_ready().then(Instant::now);
        let times = [
            self.endpoint.next_timeout(),
            self.hub.next_timeout(),
            notifications,
        ];
        times.into_iter().flatten().min()
    }
}
