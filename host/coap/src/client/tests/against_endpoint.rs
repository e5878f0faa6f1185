//! The client against this gateway's own endpoint, over a network that loses and delays.

use proptest::prelude::*;

use super::*;
use crate::endpoint::Endpoint;
use crate::limits::Limits;

/// Which datagrams are lost, counted in each direction.
#[derive(Debug, Clone)]
struct Losses {
    to_server: Vec<usize>,
    to_client: Vec<usize>,
}

fn losses() -> impl Strategy<Value = Losses> {
    // Four in all: even if they all hit one message, its four retransmissions make them good.
    let lost = || prop::collection::btree_set(0..40usize, 0..=2);
    (lost(), lost()).prop_map(|(to_server, to_client)| Losses {
        to_server: to_server.into_iter().collect(),
        to_client: to_client.into_iter().collect(),
    })
}

/// Sends `request` to an endpoint that echoes its body after `think`; the outcome, and how often it was processed.
fn echo(
    request: Message,
    settings: Settings,
    think: Duration,
    losses: &Losses,
) -> (Result<Message, ExchangeError>, usize) {
    let mut now = Instant::now();
    let mut client = ClientExchange::new(request, settings, [3; 16], 1, now);
    let mut server = Endpoint::<u8>::new(Limits::default(), [4; 16]);
    let mut to_server: Vec<(Instant, Vec<u8>)> = Vec::new();
    let mut to_client: Vec<(Instant, Vec<u8>)> = Vec::new();
    let mut thinking = Vec::new();
    let (mut sent, mut responded, mut processed) = (0, 0, 0);
    loop {
        while let Some(bytes) = client.poll_transmit() {
            if !losses.to_server.contains(&sent) {
                to_server.push((now + LATENCY, bytes));
            }
            sent += 1;
        }
        while let Some(incoming) = server.poll_request() {
            processed += 1;
            let response = Message::new(CONTENT).with_payload(incoming.request.message.payload);
            thinking.push((now + think, incoming.id, response));
        }
        while let Some(transmit) = server.poll_transmit() {
            if !losses.to_client.contains(&responded) {
                to_client.push((now + LATENCY, transmit.bytes));
            }
            responded += 1;
        }
        if let Some(outcome) = client.outcome() {
            return (outcome.clone(), processed);
        }
        let arrivals = to_server.iter().chain(&to_client).map(|(at, _)| *at);
        let responses = thinking.iter().map(|(at, _, _)| *at);
        let timeouts = client
            .next_timeout()
            .into_iter()
            .chain(server.next_timeout());
        let next = arrivals.chain(responses).chain(timeouts).min();
        now = now.max(next.expect("an exchange without outcome waits"));
        for (_, bytes) in to_server.extract_if(.., |(at, _)| *at <= now) {
            server.handle_datagram(now, 0, &bytes);
        }
        for (_, bytes) in to_client.extract_if(.., |(at, _)| *at <= now) {
            client.handle_datagram(&bytes, now);
        }
        for (_, id, response) in thinking.extract_if(.., |(at, _, _)| *at <= now) {
            server.respond(now, id, response);
        }
        client.handle_timeout(now);
        server.handle_timeout(now);
    }
}

proptest! {
    #[test]
    fn a_confirmable_request_gets_its_response_and_is_processed_once_whichever_datagram_is_lost(
        length in prop_oneof![0..50usize, 900..1_100usize, 4_000..10_000usize],
        exponent in 0..=6u32,
        ask_block_size in any::<bool>(),
        think_ms in prop_oneof![Just(0u64), 500..5_000u64],
        losses in losses(),
    ) {
        let settings = Settings {
            block_size: BlockSize::new(16 << exponent).expect("a block size"),
            ask_block_size,
            timeout: Duration::from_secs(2_000),
            ..SETTINGS
        };
        let (outcome, processed) = echo(put(length), settings, Duration::from_millis(think_ms), &losses);
        prop_assert_eq!(outcome.map(|response| response.payload), Ok(put(length).payload));
        prop_assert_eq!(processed, 1);
    }
}

#[test]
fn a_non_confirmable_request_gets_a_response_without_a_loss_and_none_with_one() {
    let settings = Settings {
        confirmable: false,
        ..SETTINGS
    };
    let nothing = Losses {
        to_server: Vec::new(),
        to_client: Vec::new(),
    };
    let (outcome, processed) = echo(put(3_000), settings, Duration::from_secs(3), &nothing);
    assert_eq!(
        outcome.map(|response| response.payload),
        Ok(put(3_000).payload)
    );
    assert_eq!(processed, 1);
    let lost = Losses {
        to_client: vec![0],
        ..nothing
    };
    let (outcome, processed) = echo(put(30), settings, Duration::ZERO, &lost);
    assert_eq!(outcome, Err(ExchangeError::Silent { retransmissions: 0 }));
    assert_eq!(processed, 1);
}
