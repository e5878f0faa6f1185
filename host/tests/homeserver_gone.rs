//! The polls of observations while a homeserver is unreachable for a day, with a simulated clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use coap::{self, Endpoint, Limits, ObserveEvent, code};
use gateway::limits::ObservationLimits;
use gateway::observe::{ObserveBroker, PollId, Polled};
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
    observations: ObserveBroker,
    now: Instant,
}

impl Stage {
    /// One device observes `!a`.
    async fn new(homeserver_of_the_test: &Timeline) -> Self {
        let gateway = gateway(vec![homeserver(homeserver_of_the_test.url(), None)]);
        let mut endpoint = Endpoint::new(Limits::default(), [7; 16]);
        let (mut observations, now) = (
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
        let response = gateway
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
        let Some(SideEffect::Observation(registration)) = response.side_effect else {
            panic!("{:?}", response.message)
        };
        let snapshot = gateway.snapshots.load().clone();
        let prepared = observations
            .prepare(&snapshot, now, *registration)
            .expect("there is room");
        let begun = endpoint.respond_observing(now, incoming.id, response.message.clone(), None);
        observations.start(now, begun, prepared, response.message);
        Self {
            gateway,
            observations,
            now,
        }
    }

    /// Advances the clock to the next timeout, and handles it. Returns how many calls were made, and the notifications;
    /// the device acknowledges all of them.
    async fn step(&mut self) -> (usize, Vec<coap::Message>) {
        let (snapshot, mut calls, mut notifications) =
            (self.gateway.snapshots.load().clone(), 0, Vec::new());
        self.now = self
            .observations
            .next_timeout()
            .expect("it goes on")
            .max(self.now);
        self.observations.handle_timeout(self.now);
        while let Some(call) = self.observations.next_long_poll(&snapshot, self.now) {
            let (id, polled): (PollId, Polled) = call.make(&snapshot.upstreams).await;
            calls += 1;
            self.observations.polled(self.now, id, polled);
        }
        while let Some((id, message)) = self.observations.poll_notification(self.now) {
            notifications.push(message);
            self.observations
                .observed(self.now, ObserveEvent::Delivered(id));
        }
        (calls, notifications)
    }
}

#[tokio::test]
async fn polls_pause_longer_during_a_day_without_homeserver_and_then_the_next_message_is_notified()
{
    let homeserver_of_the_test = Timeline::start();
    homeserver_of_the_test.say("!a", "before");
    let mut observed = Stage::new(&homeserver_of_the_test).await;
    homeserver_of_the_test.fail(Some((502, "M_UNKNOWN")));
    let (began, mut calls, mut last) = (observed.now, 0, observed.now);
    while observed.now < began + DAY {
        let (made, notifications) = observed.step().await;
        if made > 0 {
            let pause = observed.now - last;
            assert!(pause <= LONGEST_PAUSE, "{pause:?}");
            last = observed.now;
        }
        calls += made;
        // Once an hour the device gets the last notification again.
        assert!(
            notifications
                .iter()
                .all(|message| message.code == code::CONTENT)
        );
        assert_eq!(observed.observations.size(), (1, 1));
    }
    assert!((1000..1500).contains(&calls), "{calls} calls in a day");
    homeserver_of_the_test.fail(None);
    homeserver_of_the_test.say("!a", "after a day");
    let back = observed.now;
    let message = loop {
        let (_, notifications) = observed.step().await;
        assert!(
            observed.now <= back + LONGEST_PAUSE,
            "the homeserver is not polled again"
        );
        if let Some(message) = notifications.into_iter().next() {
            break message;
        }
    };
    let text = String::from_utf8_lossy(&message.payload).into_owned();
    assert!(text.contains("after a day"), "{text}");
}
