//! A homeserver that is gone for a day: what the polls of observations do meanwhile, by a clock that the test turns.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap::{self, Endpoint, Limits, ObserveEvent, code};
use gateway::observe::{ObservationLimits, ObserveBroker, PollId, Polled};
use gateway::request::{Gateway, Request, SideEffect};

use crate::default_rule::gateway;
use crate::http_call::homeserver;
use crate::observing_device::get;
use crate::timeline::Timeline;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The longest pause, and the quarter of it that is left to chance.
const LONGEST_PAUSE: Duration = Duration::from_secs(75);

/// An endpoint and its observations, without a socket.
struct Stage {
    gateway: Gateway,
    hub: ObserveBroker,
    now: Instant,
}

impl Stage {
    /// One device observes `!a`.
    async fn new(homeserver_of_the_test: &Timeline) -> Self {
        let gateway = gateway(vec![homeserver(homeserver_of_the_test.url(), None)]);
        let mut endpoint = Endpoint::new(Limits::default(), [7; 16]);
        let (mut hub, now) = (
            ObserveBroker::new(ObservationLimits::default()),
            Instant::now(),
        );
        let peer: SocketAddr = "127.0.0.1:5683".parse().expect("it is an address");
        let datagram = coap::Datagram {
            message_type: coap::MessageType::Confirmable,
            message_id: 1,
            token: coap::Token::new(b"t").expect("it is short"),
            message: get("!a", Some(0)),
        };
        endpoint.handle_datagram(now, peer, &coap::encode(&datagram));
        let incoming = endpoint.poll_request().expect("a request");
        let answer = gateway
            .respond(Request {
                peer: contract::Peer::unauthenticated(peer),
                local: None,
                multicast: false,
                message_type: incoming.message_type,
                message: incoming.request,
                observes: incoming.observes,
                wire_bytes: incoming.wire_bytes,
            })
            .await;
        let Some(SideEffect::Observation(registration)) = answer.side_effect else {
            panic!("{:?}", answer.message)
        };
        let service = gateway.snapshots.load().clone();
        let prepared = hub
            .prepare(&service, now, *registration)
            .expect("there is room");
        let begun = endpoint.respond_observing(now, incoming.id, answer.message.clone(), None);
        hub.start(now, begun, prepared, answer.message);
        Self { gateway, hub, now }
    }

    /// Goes on to the next moment at which something is to be done, and does it. Returns the outcomes of the calls that were
    /// made, and what the device was told; it acknowledges everything.
    async fn step(&mut self) -> (usize, Vec<coap::Message>) {
        let (service, mut calls, mut told) = (self.gateway.snapshots.load().clone(), 0, Vec::new());
        self.now = self.hub.next_timeout().expect("it goes on").max(self.now);
        self.hub.handle_timeout(self.now);
        while let Some(call) = self.hub.next_long_poll(&service, self.now) {
            let (id, polled): (PollId, Polled) = call.make(&service.upstreams).await;
            calls += 1;
            self.hub.polled(self.now, id, polled);
        }
        while let Some((id, message)) = self.hub.poll_notification(self.now) {
            told.push(message);
            self.hub.observed(self.now, ObserveEvent::Delivered(id));
        }
        (calls, told)
    }
}

#[tokio::test]
async fn a_day_without_homeserver_is_waited_out_in_growing_pauses_and_the_next_message_is_told() {
    let homeserver_of_the_test = Timeline::start();
    homeserver_of_the_test.say("!a", "before");
    let mut observed = Stage::new(&homeserver_of_the_test).await;
    homeserver_of_the_test.fail(Some((502, "M_UNKNOWN")));
    let (began, mut calls, mut last) = (observed.now, 0, observed.now);
    while observed.now < began + DAY {
        let (made, told) = observed.step().await;
        if made > 0 {
            let pause = observed.now - last;
            assert!(pause <= LONGEST_PAUSE, "{pause:?}");
            last = observed.now;
        }
        calls += made;
        // Once an hour the device hears that the gateway is there, with what it knows.
        assert!(told.iter().all(|message| message.code == code::CONTENT));
        assert_eq!(observed.hub.size(), (1, 1));
    }
    assert!((1000..1500).contains(&calls), "{calls} calls in a day");
    homeserver_of_the_test.fail(None);
    homeserver_of_the_test.say("!a", "after a day");
    let back = observed.now;
    let told = loop {
        let (_, told) = observed.step().await;
        assert!(
            observed.now <= back + LONGEST_PAUSE,
            "it is not found again"
        );
        if let Some(message) = told.into_iter().next() {
            break message;
        }
    };
    let told = String::from_utf8_lossy(&told.payload).into_owned();
    assert!(told.contains("after a day"), "{told}");
}
