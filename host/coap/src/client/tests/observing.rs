//! Observations against a server that is written by hand.

use super::*;
use crate::client::{ClientObservation, ObservationEvent};
use crate::code::{EMPTY, NOT_FOUND, SERVICE_UNAVAILABLE};
use crate::option::{BLOCK2, ETAG, MAX_AGE, OBSERVE};

struct Stage {
    now: Instant,
    client: ClientObservation,
}

impl Stage {
    fn start() -> Self {
        let now = Instant::now();
        let request = Message::new(GET).with_option(URI_PATH, "r");
        let client = ClientObservation::new(request, SETTINGS, [7; 16], 1, now);
        Self { now, client }
    }

    /// The one datagram that the client has sent.
    #[track_caller]
    fn sent(&mut self) -> Datagram {
        let bytes = self.client.poll_transmit().expect("a datagram");
        assert_eq!(self.client.poll_transmit(), None);
        decode(&bytes).expect("a message")
    }

    fn receive(&mut self, message_type: MessageType, id: u16, token: Token, message: Message) {
        let bytes = encode(&Datagram {
            message_type,
            message_id: id,
            token,
            message,
        });
        self.client.handle_datagram(&bytes, self.now);
    }

    /// Registers; the token.
    fn registered(&mut self) -> Token {
        let sent = self.sent();
        assert_eq!(sent.message.uint_option(OBSERVE), Some(0));
        let acknowledgement = MessageType::Acknowledgement;
        self.receive(
            acknowledgement,
            sent.message_id,
            sent.token,
            state(5, "first"),
        );
        assert_eq!(self.events(), ["first"]);
        sent.token
    }

    /// Takes a confirmable notification; what the client responds.
    fn notified(&mut self, id: u16, token: Token, message: Message) -> MessageType {
        self.receive(MessageType::Confirmable, id, token, message);
        let response = self.sent();
        assert_eq!((response.message.code, response.message_id), (EMPTY, id));
        response.message_type
    }

    /// The texts that have come, and how it has ended.
    fn events(&mut self) -> Vec<String> {
        let events = std::iter::from_fn(|| self.client.poll_event());
        let text = |event| match event {
            ObservationEvent::State(message) => String::from_utf8(message.payload).expect("text"),
            ObservationEvent::Ended(message) => format!("ended {}", message.code),
            ObservationEvent::Failed(error) => format!("failed {error:?}"),
        };
        events.map(text).collect()
    }
}

fn state(number: u32, text: &str) -> Message {
    Message::new(CONTENT)
        .with_uint_option(OBSERVE, number)
        .with_payload(text.as_bytes())
}

#[test]
fn notifications_are_acknowledged_and_only_newer_ones_count() {
    let mut stage = Stage::start();
    let token = stage.registered();
    for (id, number, text, expected) in [
        (100, 6, "second", &["second"][..]),
        (101, 6, "second", &[]),
        (102, 4, "old", &[]),
        (103, 7, "third", &["third"]),
        (104, 0x00ff_ffff, "older", &[]),
    ] {
        let response = stage.notified(id, token, state(number, text));
        assert_eq!(response, MessageType::Acknowledgement);
        assert_eq!(stage.events(), expected, "{number}");
    }
    stage.now += Duration::from_secs(129);
    stage.notified(105, token, state(3, "after a restart of the server"));
    assert_eq!(stage.events(), ["after a restart of the server"]);
}

#[test]
fn a_notification_in_blocks_is_fetched_without_observe_and_a_newer_one_takes_its_place() {
    let mut stage = Stage::start();
    let token = stage.registered();
    let first_block = |number: u32, tag: &str| {
        state(number, "0123456789abcdef")
            .with_option(ETAG, tag)
            .with_uint_option(BLOCK2, 1 << 3)
    };
    for (id, tag) in [(100, "a"), (101, "b")] {
        let message = first_block(u32::from(id), tag);
        stage.receive(MessageType::NonConfirmable, id, token, message);
        let fetch = stage.sent();
        assert_ne!(fetch.token, token);
        assert_eq!(fetch.message.option(OBSERVE), None);
        assert_eq!(fetch.message.uint_option(BLOCK2), Some(1 << 4));
        if tag == "b" {
            let rest = Message::new(CONTENT)
                .with_option(ETAG, tag)
                .with_uint_option(BLOCK2, 1 << 4)
                .with_payload("ghi");
            stage.receive(
                MessageType::Acknowledgement,
                fetch.message_id,
                fetch.token,
                rest,
            );
        }
    }
    assert_eq!(stage.events(), ["0123456789abcdefghi"]);
}

#[test]
fn a_server_that_is_silent_beyond_max_age_is_asked_again_with_the_same_token() {
    let mut stage = Stage::start();
    let token = stage.registered();
    stage.notified(100, token, state(6, "second").with_uint_option(MAX_AGE, 10));
    let due = stage.client.next_timeout().expect("it goes on");
    assert_eq!(due - stage.now, Duration::from_secs(25));
    stage.now = due;
    stage.client.handle_timeout(due);
    let again = stage.sent();
    assert_eq!(
        (again.token, again.message.uint_option(OBSERVE)),
        (token, Some(0))
    );
    let acknowledgement = MessageType::Acknowledgement;
    stage.receive(acknowledgement, again.message_id, token, state(1, "third"));
    assert_eq!(stage.events(), ["second", "third"]);
}

#[test]
fn an_error_and_a_response_without_observe_are_the_last() {
    let mut stage = Stage::start();
    let token = stage.registered();
    stage.notified(100, token, Message::new(NOT_FOUND));
    assert_eq!(stage.events(), [format!("ended {NOT_FOUND}")]);
    assert!(stage.client.is_over() && stage.client.next_timeout().is_none());
    let mut stage = Stage::start();
    let sent = stage.sent();
    let full = Message::new(SERVICE_UNAVAILABLE);
    stage.receive(
        MessageType::Acknowledgement,
        sent.message_id,
        sent.token,
        full,
    );
    assert_eq!(stage.events(), [format!("ended {SERVICE_UNAVAILABLE}")]);
}

#[test]
fn the_end_is_said_to_the_server_and_later_notifications_are_reset() {
    let mut stage = Stage::start();
    let token = stage.registered();
    stage.client.cancel(stage.now);
    let end = stage.sent();
    assert_eq!(
        (end.token, end.message.uint_option(OBSERVE)),
        (token, Some(1))
    );
    let reset = stage.notified(100, token, state(6, "on its way"));
    assert_eq!(reset, MessageType::Reset);
    assert!(!stage.client.is_over());
    let last = Message::new(CONTENT).with_payload("last");
    stage.receive(MessageType::Acknowledgement, end.message_id, token, last);
    assert!(stage.client.is_over());
    assert_eq!(stage.events(), [""; 0]);
    stage.receive(MessageType::Confirmable, 101, token, state(7, "later"));
    assert_eq!(stage.sent().message_type, MessageType::Reset);
}

#[test]
fn a_registration_without_response_and_a_ping_meanwhile() {
    let mut stage = Stage::start();
    stage.sent();
    let ping = encode(&Datagram::empty(MessageType::Confirmable, 9));
    stage.client.handle_datagram(&ping, stage.now);
    assert_eq!(stage.sent().message_type, MessageType::Reset);
    while let Some(due) = stage.client.next_timeout() {
        stage.now = due;
        stage.client.handle_timeout(due);
    }
    assert_eq!(stage.events(), ["failed Silent { retransmissions: 4 }"]);
}
