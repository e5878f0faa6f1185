//! From the room to the device: observations of `/getmsg` over UDP, against a homeserver whose rooms the test fills.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use comatrix_gateway::DEFAULT_RULE;
use comatrix_gateway::coap::{self, Datagram, Message, MessageType, Token, code, option};
use comatrix_gateway::exchange::Gateway;
use comatrix_gateway::observation::ObservationLimits;
use comatrix_gateway::rule::{Mounted, RuleLimits, Table};
use comatrix_gateway::serve::{ServeLimits, serve};
use comatrix_gateway::transport::UdpTransport;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::default_rule::{activate_rule, engine, gateway, limits, revision};
use crate::http_call::homeserver;
use crate::timeline::Timeline;

const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough for what must not come.
const A_WHILE: Duration = Duration::from_millis(700);

/// A device that observes.
struct Device {
    socket: UdpSocket,
    message_id: u16,
}

impl Device {
    async fn new(gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(gateway).await.expect("it is an address");
        let message_id = 0;
        Self { socket, message_id }
    }

    async fn receive(&self) -> Datagram {
        let received = timeout(PATIENCE, self.receive_any()).await;
        received.expect("a datagram comes in time")
    }

    async fn receive_any(&self) -> Datagram {
        let mut bytes = [0; 2048];
        loop {
            let length = self.socket.recv(&mut bytes).await.expect("it is received");
            let datagram = coap::decode(&bytes[..length]);
            let datagram = datagram.unwrap_or_else(|error| panic!("{error}"));
            let is_ping = datagram.message_type == MessageType::Confirmable
                && datagram.message.code == code::EMPTY;
            if !is_ping {
                return datagram;
            }
            let message_id = datagram.message_id;
            let pong = Datagram::empty(MessageType::Reset, message_id);
            self.send(&pong).await;
        }
    }

    async fn send(&self, datagram: &Datagram) {
        let bytes = coap::encode(datagram);
        self.socket.send(&bytes).await.expect("it is sent");
    }

    async fn ask(&mut self, token: &str, message: Message) -> Datagram {
        self.message_id += 1;
        let datagram = Datagram {
            message_type: MessageType::Confirmable,
            message_id: self.message_id,
            token: Token::new(token.as_bytes()).expect("it is short"),
            message,
        };
        self.send(&datagram).await;
        self.receive().await
    }

    /// Observes a room; the first answer's body.
    async fn observe(&mut self, room: &str) -> String {
        let answer = self.ask(room, get(room, Some(0))).await;
        assert!(
            answer.message.option(option::OBSERVE).is_some(),
            "{answer:?}"
        );
        body(&answer)
    }

    /// The next notification, acknowledged; its body.
    async fn told(&self) -> String {
        let notification = self.receive().await;
        self.acknowledge(&notification).await;
        body(&notification)
    }

    async fn acknowledge(&self, notification: &Datagram) {
        assert_eq!(notification.message_type, MessageType::Confirmable);
        let message_id = notification.message_id;
        let ack = Datagram::empty(MessageType::Acknowledgement, message_id);
        self.send(&ack).await;
    }

    /// Nothing comes.
    async fn is_left_alone(&self) {
        let received = timeout(A_WHILE, self.receive_any()).await;
        assert!(received.is_err(), "{received:?}");
    }
}

fn get(room: &str, observe: Option<u32>) -> Message {
    let message = Message::new(code::GET)
        .with_option(option::URI_PATH, "getmsg")
        .with_option(option::URI_PATH, room)
        .with_uint_option(option::ACCEPT, 50)
        .with_option(option::ACCESS_TOKEN, "device-token");
    match observe {
        Some(value) => message.with_uint_option(option::OBSERVE, value),
        None => message,
    }
}

/// `body` of a JSON payload.
fn body(datagram: &Datagram) -> String {
    assert_eq!(datagram.message.code, code::CONTENT, "{datagram:?}");
    let json: serde_json::Value =
        serde_json::from_slice(&datagram.message.payload).expect("it is JSON");
    json["body"].as_str().unwrap_or_default().to_owned()
}

/// Serves a gateway while `test` runs.
async fn observing<F: Future<Output = ()>>(
    refresh: Duration,
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr) -> F,
) {
    let test = |gateway, homeserver, address, stop: oneshot::Sender<()>| {
        let test = test(gateway, homeserver, address);
        async move {
            test.await;
            drop(stop);
        }
    };
    observing_until(refresh, Duration::ZERO, test).await;
}

/// Serves a gateway until `test` lets it stop.
async fn observing_until<F: Future<Output = ()>>(
    refresh: Duration,
    drain: Duration,
    test: impl FnOnce(Rc<Gateway>, Rc<Timeline>, SocketAddr, oneshot::Sender<()>) -> F,
) {
    let homeserver_of_the_test = Rc::new(Timeline::start());
    let gateway = Rc::new(gateway(vec![homeserver(
        homeserver_of_the_test.url(),
        None,
    )]));
    let loopback = "127.0.0.1:0".parse().expect("it is an address");
    let transport = UdpTransport::bind(loopback).unwrap_or_else(|error| panic!("{error}"));
    let address = transport.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let limits = ServeLimits {
        coap: coap::Limits::default(),
        observation: ObservationLimits {
            refresh,
            ..ObservationLimits::default()
        },
        drain,
    };
    let served = serve(
        transport,
        limits,
        &gateway,
        async move { drop(stopped.await) },
    );
    let tested = test(gateway.clone(), homeserver_of_the_test, address, stop);
    tokio::join!(served, tested);
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn messages_reach_their_observer_in_order() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        let mut device = Device::new(address).await;
        assert_eq!(device.observe("!a").await, "before");
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "first");
        homeserver.say("!b", "of another room");
        homeserver.say("!a", "second");
        assert_eq!(device.told().await, "first");
        assert_eq!(device.told().await, "second");
        device.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn one_long_poll_serves_all_observers_of_an_account() {
    observing(HOUR, |_, homeserver, address| async move {
        let rooms = ["!a", "!b", "!a"];
        let mut devices = Vec::new();
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        for room in rooms {
            let mut device = Device::new(address).await;
            device.observe(room).await;
            devices.push(device);
        }
        tokio::time::sleep(A_WHILE).await;
        homeserver.until_waiting(1).await;
        let last = homeserver.syncs().pop().expect("there were some");
        assert_eq!(last.rooms, ["!a", "!b"]);
        homeserver.say("!a", "for two");
        assert_eq!(devices[0].told().await, "for two");
        assert_eq!(devices[2].told().await, "for two");
        devices[1].is_left_alone().await;
        homeserver.say("!b", "for one");
        assert_eq!(devices[1].told().await, "for one");
    })
    .await;
}

#[tokio::test]
async fn the_next_message_waits_until_the_last_one_is_acknowledged() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "first");
        homeserver.say("!a", "second");
        let first = device.receive().await;
        device.is_left_alone().await;
        let again = device.receive().await;
        assert_eq!(again, first, "it is sent again, unchanged");
        device.acknowledge(&again).await;
        assert_eq!(device.told().await, "second");
    })
    .await;
}

#[tokio::test]
async fn a_device_that_falls_behind_is_told_to_observe_again() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        for number in 0..40 {
            homeserver.say("!a", &number.to_string());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let last = loop {
            let datagram = device.receive().await;
            if datagram.message.code != code::CONTENT {
                break datagram;
            }
        };
        assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE);
        assert_eq!(last.message.option(option::OBSERVE), None);
        assert!(last.message.option(option::MAX_AGE).is_some());
        device.acknowledge(&last).await;
        homeserver.until_waiting(0).await;
    })
    .await;
}

#[tokio::test]
async fn a_homeserver_that_goes_and_comes_back_is_waited_for() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.fail(Some((502, "M_UNKNOWN")));
        homeserver.say("!a", "while it was away");
        device.is_left_alone().await;
        homeserver.fail(None);
        assert_eq!(device.told().await, "while it was away");
    })
    .await;
}

#[tokio::test]
async fn an_access_token_that_is_no_longer_valid_ends_the_observation() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.fail(Some((401, "M_UNKNOWN_TOKEN")));
        let last = device.receive().await;
        assert_eq!(last.message.code, code::UNAUTHORIZED);
        assert_eq!(last.token, Token::new(b"!a").expect("it is short"));
    })
    .await;
}

#[tokio::test]
async fn reset_and_observe_1_end_the_poll_as_well() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        device.ask("!a", get("!a", Some(1))).await;
        homeserver.until_waiting(0).await;
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.say("!a", "unwanted");
        let notification = device.receive().await;
        let reset = Datagram::empty(MessageType::Reset, notification.message_id);
        device.send(&reset).await;
        homeserver.until_waiting(0).await;
    })
    .await;
}

#[tokio::test]
async fn logging_out_ends_the_observations_of_the_account() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        let logout = Message::new(code::POST)
            .with_option(option::URI_PATH, "logout")
            .with_option(option::ACCESS_TOKEN, "device-token");
        let answer = device.ask("bye", logout).await;
        assert_eq!(answer.message.code, code::CHANGED);
        let last = device.receive().await;
        assert_eq!(last.message.code, code::UNAUTHORIZED);
        homeserver.until_waiting(0).await;
    })
    .await;
}

#[tokio::test]
async fn an_observation_goes_on_after_a_swap_and_the_former_revision_is_freed() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        let former = Arc::downgrade(&gateway.rules.now().rules()[0].revision);
        let mounted = Mounted {
            mount: Vec::new(),
            revision: Arc::new(revision()),
        };
        let table = Table::new(vec![mounted]).unwrap_or_else(|error| panic!("{error}"));
        gateway.rules.swap(table);
        for text in ["read by the former revision", "read by the new one"] {
            homeserver.say("!a", text);
            assert_eq!(device.told().await, text);
            homeserver.until_waiting(1).await;
        }
        homeserver.say("!a", "and one more");
        assert_eq!(device.told().await, "and one more");
        assert!(former.upgrade().is_none(), "something still holds it");
    })
    .await;
}

#[tokio::test]
async fn what_is_said_while_a_device_joins_a_poll_is_told_once() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.delay(Duration::from_millis(300));
        let mut second = Device::new(address).await;
        let (shown, told) = tokio::join!(second.observe("!a"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            // The second device's first answer is made from what was before, but has not arrived.
            homeserver.say("!a", "between");
            first.told().await
        });
        assert_eq!((shown.as_str(), told.as_str()), ("before", "between"));
        assert_eq!(second.told().await, "between");
        second.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_joins_a_poll_of_other_rooms_is_not_told_what_it_was_shown() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        // The poll stands before these.
        homeserver.say("!b", "older");
        homeserver.say("!b", "shown");
        let mut second = Device::new(address).await;
        assert_eq!(second.observe("!b").await, "shown");
        second.is_left_alone().await;
        homeserver.say("!b", "new");
        assert_eq!(second.told().await, "new");
    })
    .await;
}

#[tokio::test]
async fn more_messages_than_an_answer_holds_end_the_observation() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.fail(Some((503, "M_UNKNOWN")));
        (0..60).for_each(|number| homeserver.say("!a", &number.to_string()));
        tokio::time::sleep(A_WHILE).await;
        homeserver.fail(None);
        let last = device.receive().await;
        assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE);
    })
    .await;
}

#[tokio::test]
async fn a_quiet_room_is_told_again_and_its_representation_is_fresh_until_then() {
    let refresh = Duration::from_secs(1);
    observing(refresh, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        let answer = device.ask("!a", get("!a", Some(0))).await;
        let age = answer.message.uint_option(option::MAX_AGE);
        assert!(age.is_some_and(|age| age > 1), "{age:?}");
        for _ in 0..2 {
            assert_eq!(device.told().await, "before");
        }
        homeserver.say("!a", "after");
        assert_eq!(device.told().await, "after");
        assert_eq!(device.told().await, "after");
    })
    .await;
}

#[tokio::test]
async fn answers_that_nobody_can_read_end_the_observation_instead_of_coming_for_ever() {
    observing(HOUR, |_, homeserver, address| async move {
        let mut device = Device::new(address).await;
        homeserver.say("!a", "before");
        device.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.fail(Some((200, "no next_batch")));
        let last = device.receive().await;
        assert_eq!(last.message.code, code::SERVICE_UNAVAILABLE);
        let asked = homeserver.syncs().len();
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(homeserver.syncs().len(), asked, "nobody waits any more");
    })
    .await;
}

/// What a device hears that was shown a room before something was said there: that, or that it must observe again.
async fn is_told_or_sent_away(device: &Device, said: &str) {
    let next = device.receive().await;
    device.acknowledge(&next).await;
    if next.message.code == code::CONTENT {
        assert_eq!(body(&next), said);
    } else {
        assert_eq!(next.message.code, code::SERVICE_UNAVAILABLE);
        assert_eq!(next.message.option(option::OBSERVE), None);
    }
}

#[tokio::test]
async fn what_is_said_in_a_room_that_has_just_joined_a_poll_is_told() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        tokio::time::sleep(A_WHILE).await;
        let mut second = Device::new(address).await;
        assert_eq!(second.observe("!b").await, "before");
        // The poll that waits was asked without !b, and ends with the news of !a, behind what is said in !b.
        homeserver.say("!b", "to the second");
        homeserver.say("!a", "to the first");
        assert_eq!(first.told().await, "to the first");
        assert_eq!(second.told().await, "to the second");
        first.is_left_alone().await;
        second.is_left_alone().await;
    })
    .await;
}

#[tokio::test]
async fn a_poll_that_went_on_while_another_room_was_asked_for_keeps_nothing_back() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        homeserver.delay(Duration::from_millis(300));
        let mut second = Device::new(address).await;
        let (shown, told) = tokio::join!(second.observe("!b"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            homeserver.say("!b", "between");
            homeserver.say("!a", "news");
            first.told().await
        });
        assert_eq!((shown.as_str(), told.as_str()), ("before", "news"));
        is_told_or_sent_away(&second, "between").await;
    })
    .await;
}

#[tokio::test]
async fn of_two_devices_that_begin_at_once_the_one_answered_later_misses_nothing() {
    observing(HOUR, |_, homeserver, address| async move {
        homeserver.say("!a", "before");
        homeserver.say("!b", "before");
        homeserver.delay(Duration::from_millis(400));
        let mut slow = Device::new(address).await;
        let mut quick = Device::new(address).await;
        let (shown, _) = tokio::join!(slow.observe("!b"), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            homeserver.say("!b", "between");
            homeserver.delay(Duration::ZERO);
            quick.observe("!a").await
        });
        assert_eq!(shown, "before");
        is_told_or_sent_away(&slow, "between").await;
    })
    .await;
}

#[tokio::test]
async fn no_observation_begins_while_the_gateway_stops() {
    let drain = Duration::from_secs(5);
    observing_until(HOUR, drain, |_, homeserver, address, stop| async move {
        homeserver.say("!a", "before");
        homeserver.delay(Duration::from_millis(400));
        let mut device = Device::new(address).await;
        let (answer, ()) = tokio::join!(device.ask("t", get("!a", Some(0))), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(stop);
        });
        assert_eq!(body(&answer), "before");
        assert_eq!(answer.message.option(option::OBSERVE), None, "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_has_used_its_share_holds_up_no_observers_of_others() {
    observing(HOUR, |gateway, homeserver, address| async move {
        let slow = RuleLimits {
            cpu_percent: 1,
            ..limits()
        };
        let settings = std::collections::BTreeMap::new();
        let slow = activate_rule(&engine(), None, "slow", DEFAULT_RULE, settings, slow);
        let slow = Arc::new(slow.unwrap_or_else(|error| panic!("{error}")));
        let others = gateway.rules.now().rules()[0].revision.clone();
        let table = Table::new(vec![
            Mounted {
                mount: Vec::new(),
                revision: others,
            },
            Mounted {
                mount: vec!["slow".to_owned()],
                revision: slow.clone(),
            },
        ]);
        gateway
            .rules
            .swap(table.unwrap_or_else(|error| panic!("{error}")));
        homeserver.say("!a", "before");
        let mut of_slow = Device::new(address).await;
        let mut request = get("!a", Some(0));
        let place = request
            .options
            .iter()
            .position(|known| known.number == option::URI_PATH);
        let segment = coap::CoapOption {
            number: option::URI_PATH,
            value: b"slow".to_vec(),
        };
        request.options.insert(place.expect("a path"), segment);
        assert_eq!(body(&of_slow.ask("t", request).await), "before");
        let mut other = Device::new(address).await;
        other.observe("!a").await;
        homeserver.until_waiting(2).await;
        let budget = &slow.state().budget;
        budget.spent(std::time::Instant::now(), Duration::from_secs(60));
        for text in ["first", "second", "third"] {
            homeserver.say("!a", text);
            assert_eq!(other.told().await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn one_long_poll_serves_an_account_after_a_swap() {
    observing(HOUR, |gateway, homeserver, address| async move {
        homeserver.say("!a", "before");
        let mut first = Device::new(address).await;
        first.observe("!a").await;
        homeserver.until_waiting(1).await;
        let mounted = Mounted {
            mount: Vec::new(),
            revision: Arc::new(revision()),
        };
        let table = Table::new(vec![mounted]).unwrap_or_else(|error| panic!("{error}"));
        gateway.rules.swap(table);
        let mut second = Device::new(address).await;
        second.observe("!a").await;
        // What the former revision has told is forgotten: nobody knows whether that was all.
        let sent_away = second.receive().await;
        assert_eq!(sent_away.message.code, code::SERVICE_UNAVAILABLE);
        second.acknowledge(&sent_away).await;
        second.observe("!a").await;
        for text in ["news", "more"] {
            homeserver.say("!a", text);
            assert_eq!(first.told().await, text);
            assert_eq!(second.told().await, text);
            tokio::time::sleep(A_WHILE).await;
            homeserver.until_waiting(1).await;
        }
    })
    .await;
}
