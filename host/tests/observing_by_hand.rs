//! An endpoint and its observations without a socket, by a clock that the test turns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use coap::{self, Endpoint, Limits, ObserveEvent};
use gateway::limits::ObservationLimits;
use gateway::observe::{ObserveBroker, PollCall};
use gateway::request::{Gateway, SideEffect, Snapshot, Source};

use crate::default_rule::gateway;
use crate::http_call::homeserver;
use crate::observing_device::get;
use crate::timeline::Timeline;

pub struct ObservingByHand {
    pub gateway: Gateway,
    pub broker: ObserveBroker,
    pub now: Instant,
    endpoint: Endpoint<SocketAddr>,
}

impl ObservingByHand {
    /// The default rule, without observers.
    pub fn new(homeserver_of_the_test: &Timeline) -> Self {
        Self {
            gateway: gateway(vec![homeserver(homeserver_of_the_test.url(), None)]),
            broker: ObserveBroker::new(ObservationLimits::default()),
            now: Instant::now(),
            endpoint: Endpoint::new(Limits::default(), [7; 16]),
        }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.gateway.snapshots.load().clone()
    }

    /// The device at this port observes `!a`.
    pub async fn observe(&mut self, port: u16) {
        let peer = SocketAddr::from(([127, 0, 0, 1], port));
        let datagram = coap::Datagram {
            message_type: coap::MessageType::Confirmable,
            message_id: 1,
            token: coap::Token::new(b"t").expect("it is short"),
            message: get("!a", Some(0)),
        };
        self.endpoint
            .handle_datagram(self.now, peer, &coap::encode(&datagram));
        let incoming = self.endpoint.poll_request().expect("a request");
        let response = self
            .gateway
            .respond(incoming.request.map_peer(|peer| Source {
                device: contract::Peer::unauthenticated(peer),
                // Each port is a host of its own.
                owner: share::Owner::new(u64::from(peer.port()), None),
                facts: coap::PeerFacts {
                    is_proven: true,
                    ..coap::PeerFacts::default()
                },
                session: None,
                local: None,
            }))
            .await;
        let Some(SideEffect::Observation(request)) = response.side_effect else {
            panic!("{:?}", response.message)
        };
        let (snapshot, message) = (self.snapshot(), response.message);
        self.now = self.now.max(Instant::now());
        let prepared = self.broker.prepare(&snapshot, self.now, *request, None);
        let id = self
            .endpoint
            .respond_observing(self.now, incoming.id, message.clone(), None);
        self.broker
            .start(self.now, id, prepared.expect("there is room"), message);
    }

    /// The next call, at this moment.
    pub fn next_long_poll(&mut self) -> Option<PollCall> {
        self.broker.next_long_poll(&self.snapshot(), self.now)
    }

    /// Makes a call, and hands its result to the observations.
    pub async fn make(&mut self, call: PollCall) {
        let (id, result) = call.make(&self.snapshot().upstreams, None).await;
        self.broker.on_poll_result(self.now, id, result);
    }

    /// Turns the clock to the next timeout, makes the calls that are due, and delivers all notifications. Returns the
    /// number of calls, and the notifications.
    pub async fn step(&mut self) -> (usize, Vec<coap::Message>) {
        let (mut calls, mut notifications) = (0, Vec::new());
        self.turn();
        self.broker.handle_timeout(self.now);
        while let Some(call) = self.next_long_poll() {
            calls += 1;
            self.make(call).await;
        }
        while let Some((id, message)) = self.broker.next_notification(self.now) {
            notifications.push(message);
            self.broker
                .on_observe_event(self.now, ObserveEvent::Delivered(id));
        }
        (calls, notifications)
    }

    /// Turns the clock to the next timeout.
    pub fn turn(&mut self) {
        let next = self.broker.next_timeout().expect("it goes on");
        self.now = self.now.max(next);
    }
}
