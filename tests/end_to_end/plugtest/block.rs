//! `TD_COAP_BLOCK`: bodies in blocks (RFC 7959).

use coap_lite::Packet;
use comatrix_tests::device::{Request, TEXT};

use super::stage::{Client, Exchange, libcoap_in_blocks, values};

const BLOCK2: u16 = 23;
const BLOCK1: u16 = 27;
const LOCATION_PATH: u16 = 8;

/// Number, more flag and size in bytes of a block option (RFC 7959 §2.2).
fn block(packet: &Packet, number: u16) -> Option<(u32, bool, usize)> {
    let value = values(packet, number).into_iter().next()?;
    let value = value
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    Some((value >> 4, value & 8 != 0, 16 << (value & 7)))
}

/// Blocks 0 to the last, each once, in order, all of this size; the last alone has no more flag.
fn in_order(packets: &[Packet], option: u16, size: usize) {
    let blocks: Vec<_> = packets
        .iter()
        .filter_map(|packet| block(packet, option))
        .collect();
    assert!(blocks.len() > 1, "{blocks:?}");
    for (position, (number, more, of_size)) in blocks.iter().enumerate() {
        let last = position + 1 == blocks.len();
        assert_eq!(
            (*number as usize, *more, *of_size),
            (position, !last, size),
            "{blocks:?}"
        );
    }
}

/// Text of this many bytes that no block boundary repeats.
fn text_of(length: usize) -> String {
    let mut text: String = (0..length).map(|number| format!("{number} ")).collect();
    text.truncate(length);
    text
}

fn large_get() -> Request {
    Request::new("GET", "/plugtest/large")
}

fn is_large(exchange: &Exchange) {
    assert_eq!(
        (exchange.response.code.as_str(), exchange.response.text()),
        ("2.05", text_of(1_700))
    );
}

#[test]
fn td_coap_block_01_get_with_early_negotiation() {
    let exchange = libcoap_in_blocks(&large_get(), 64);
    is_large(&exchange);
    assert_eq!(block(&exchange.requests()[0], BLOCK2), Some((0, false, 64)));
    in_order(&exchange.responses(), BLOCK2, 64);
}

#[test]
fn td_coap_block_02_get_with_late_negotiation() {
    // Nothing asks for blocks; the gateway chooses them, and the client goes on in them.
    for client in super::stage::BOTH {
        let exchange = client.exchange(&large_get());
        is_large(&exchange);
        in_order(&exchange.responses(), BLOCK2, 64);
    }
    let aiocoap = Client::Aiocoap.exchange(&large_get());
    assert_eq!(block(&aiocoap.requests()[0], BLOCK2), None);
}

/// A body of 3,000 bytes goes out in blocks of the client's size, each with the response 2.31 but the last.
fn upload(request: Request, code: &str) -> Vec<Exchange> {
    let request = request.bytes(text_of(3_000).as_bytes(), Some(TEXT));
    let exchanges = vec![
        (Client::Aiocoap.exchange(&request), 1_024),
        (Client::Libcoap.exchange(&request), 1_024),
        (libcoap_in_blocks(&request, 64), 64),
    ];
    for (exchange, size) in &exchanges {
        assert_eq!(exchange.response.code, code);
        in_order(&exchange.requests(), BLOCK1, *size);
        let responses = exchange.responses();
        let continued = responses
            .iter()
            .filter(|packet| packet.header.get_code() == "2.31")
            .count();
        assert_eq!(continued, 3_000 / size);
        for (request, response) in exchange.requests().iter().zip(&responses) {
            let (sent, echoed) = (block(request, BLOCK1), block(response, BLOCK1));
            assert_eq!(sent.map(|block| block.0), echoed.map(|block| block.0));
        }
    }
    exchanges
        .into_iter()
        .map(|(exchange, _)| exchange)
        .collect()
}

#[test]
fn td_coap_block_03_put() {
    upload(Request::new("PUT", "/plugtest/large-update"), "2.04");
}

#[test]
fn td_coap_block_04_post() {
    for exchange in upload(Request::new("POST", "/plugtest/large-create"), "2.01") {
        let last = exchange.responses().pop().expect("there were responses");
        assert_eq!(
            values(&last, LOCATION_PATH),
            [b"large-create".to_vec(), b"1".to_vec()]
        );
    }
}

#[test]
fn td_coap_block_05_post_in_both_directions() {
    let body = text_of(3_000);
    let request = Request::new("POST", "/plugtest/large-post").bytes(body.as_bytes(), Some(TEXT));
    for exchange in [
        Client::Aiocoap.exchange(&request),
        Client::Libcoap.exchange(&request),
        libcoap_in_blocks(&request, 64),
    ] {
        assert_eq!(
            (exchange.response.code.as_str(), exchange.response.text()),
            ("2.04", body.clone())
        );
        let (requests, responses) = (exchange.requests(), exchange.responses());
        assert!(
            requests
                .iter()
                .filter(|packet| block(packet, BLOCK1).is_some())
                .count()
                > 2
        );
        assert!(
            responses
                .iter()
                .filter(|packet| block(packet, BLOCK2).is_some())
                .count()
                > 2
        );
    }
}

#[test]
fn td_coap_block_06_blocks_of_16_bytes() {
    let exchange = libcoap_in_blocks(&large_get(), 16);
    is_large(&exchange);
    in_order(&exchange.responses(), BLOCK2, 16);
    let request =
        Request::new("PUT", "/plugtest/large-update").bytes(text_of(400).as_bytes(), Some(TEXT));
    let exchange = libcoap_in_blocks(&request, 16);
    assert_eq!(exchange.response.code, "2.04");
    in_order(&exchange.requests(), BLOCK1, 16);
}
