//! Block-wise transfers of a client, both ways.

use super::*;
use crate::block::Block;
use crate::code::{BAD_REQUEST, CHANGED, CONTINUE, REQUEST_ENTITY_TOO_LARGE};
use crate::option::{BLOCK1, BLOCK2, ETAG, SIZE1};

fn exponent(size: usize) -> u8 {
    (0..=6)
        .find(|exponent| 16 << exponent == size)
        .expect("a block size")
}

fn block_of(message: &Message, number: u16) -> Option<Block> {
    message
        .option(number)
        .map(|value| Block::decode(value).expect("a valid block"))
}

/// A server that echoes the request's body, in blocks of `size` at most both ways.
fn block_server(size: usize) -> impl FnMut(&Datagram) -> Vec<(Duration, Vec<u8>)> {
    let mut body = Vec::new();
    let limit = exponent(size);
    move |request| {
        let message = &request.message;
        assert!(message.payload.len() <= 1024);
        let asked = block_of(message, BLOCK2).filter(|block| block.number > 0);
        if asked.is_none() {
            match block_of(message, BLOCK1) {
                Some(block) => {
                    if block.offset() == 0 {
                        body.clear();
                        assert!(message.uint_option(SIZE1).is_some());
                    }
                    assert_eq!(block.offset(), body.len());
                    body.extend_from_slice(&message.payload);
                    let echo = Block {
                        size_exponent: block.size_exponent.min(limit),
                        ..block
                    };
                    if block.more {
                        let response = Message::new(CONTINUE).with_option(BLOCK1, echo.encode());
                        return soon(piggybacked(request, response));
                    }
                }
                None => body = message.payload.clone(),
            }
        } else {
            assert!(message.payload.is_empty() && message.option(BLOCK1).is_none());
        }
        assert!(
            message.option(URI_PATH).is_some(),
            "every block has the request's options"
        );
        let size_exponent = asked.map_or(limit, |block| block.size_exponent.min(limit));
        let size = 16 << size_exponent;
        let offset = asked.map_or(0, Block::offset);
        let end = body.len().min(offset + size);
        let block = Block {
            number: (offset / size) as u32,
            more: end < body.len(),
            size_exponent,
        };
        let mut response = Message::new(CHANGED)
            .with_option(ETAG, "1")
            .with_payload(&body[offset..end]);
        if offset > 0 || block.more {
            response.push_option(BLOCK2, block.encode());
        }
        if let Some(last) = block_of(message, BLOCK1) {
            response.push_option(BLOCK1, last.encode());
        }
        soon(piggybacked(request, response))
    }
}

#[test]
fn large_bodies_go_and_come_in_blocks_of_any_size_whichever_datagram_is_lost() {
    for (length, client, server) in [
        (5_000, 1024, 1024),
        (5_000, 1024, 64),
        (5_000, 64, 1024),
        (300, 16, 16),
        (2_048, 1024, 512),
        (60_000, 1024, 1024),
    ] {
        let block_size = BlockSize::new(client).expect("a block size");
        let settings = Settings {
            block_size,
            timeout: Duration::from_secs(1_000),
            ..SETTINGS
        };
        let run = run(put(length), settings, &[0, 2, 5, 6], block_server(server));
        let response = run.outcome.expect("a response");
        assert!(
            response.payload == put(length).payload,
            "{length} bytes, {client} to {server}"
        );
        assert_eq!(
            (response.option(BLOCK1), response.option(BLOCK2)),
            (None, None)
        );
        assert_eq!(run.retransmissions, 4);
    }
}

#[test]
fn an_asked_block_size_is_in_the_request_from_the_start() {
    let settings = Settings {
        block_size: BlockSize::new(64).expect("a size"),
        ask_block_size: true,
        ..SETTINGS
    };
    let run = run(get(), settings, &[], |request| {
        assert_eq!(request.message.uint_option(BLOCK2), Some(2));
        soon(piggybacked(request, content("1")))
    });
    assert_eq!(run.outcome, Ok(content("1")));
}

#[test]
fn a_4_13_with_a_smaller_size_is_followed_and_one_without_is_the_response() {
    let mut inner = block_server(128);
    let followed = run(put(500), SETTINGS, &[], |request| {
        match request.message.payload.len() > 128 {
            true => {
                let hint = Block {
                    number: 0,
                    more: false,
                    size_exponent: exponent(128),
                };
                soon(piggybacked(
                    request,
                    Message::new(REQUEST_ENTITY_TOO_LARGE).with_option(BLOCK1, hint.encode()),
                ))
            }
            false => inner(request),
        }
    });
    assert!(followed.outcome.expect("a response").payload == put(500).payload);
    let refused = run(put(5_000), SETTINGS, &[], |request| {
        soon(piggybacked(
            request,
            Message::new(REQUEST_ENTITY_TOO_LARGE).with_uint_option(SIZE1, 100),
        ))
    });
    assert_eq!(
        refused.outcome.map(|response| response.code),
        Ok(REQUEST_ENTITY_TOO_LARGE)
    );
    assert_eq!(refused.sent.len(), 1);
}

#[test]
fn an_error_in_the_middle_of_an_upload_is_the_response() {
    let run = run(put(5_000), SETTINGS, &[], |request| {
        let block = block_of(&request.message, BLOCK1).expect("a block");
        let code = if block.number == 2 {
            BAD_REQUEST
        } else {
            CONTINUE
        };
        soon(piggybacked(
            request,
            Message::new(code).with_option(BLOCK1, block.encode()),
        ))
    });
    assert_eq!(run.outcome.map(|response| response.code), Ok(BAD_REQUEST));
    assert_eq!(run.sent.len(), 3);
}

#[test]
fn blocks_that_do_not_fit_together_are_refused() {
    let block = |number, more| {
        Block {
            number,
            more,
            size_exponent: 0,
        }
        .encode()
    };
    let cases: [(&str, Vec<Message>); 6] = [
        (
            "another block than the requested one",
            vec![content("x").with_option(BLOCK2, block(1, false))],
        ),
        (
            "not as long as",
            vec![content("x").with_option(BLOCK2, block(0, true))],
        ),
        (
            "reserved size 7",
            vec![content("x").with_uint_option(BLOCK2, 7)],
        ),
        ("Continue", vec![Message::new(CONTINUE)]),
        (
            "changed",
            vec![
                content("0123456789abcdef")
                    .with_option(ETAG, "a")
                    .with_option(BLOCK2, block(0, true)),
                content("x")
                    .with_option(ETAG, "b")
                    .with_option(BLOCK2, block(1, false)),
            ],
        ),
        (
            "no Block2 option",
            vec![
                content("0123456789abcdef").with_option(BLOCK2, block(0, true)),
                content("x"),
            ],
        ),
    ];
    for (reason, responses) in cases {
        let mut responses = responses.into_iter();
        let run = run(get(), SETTINGS, &[], |request| {
            soon(piggybacked(
                request,
                responses.next().expect("one response each"),
            ))
        });
        let error = run.outcome.expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_response_above_the_bound_is_refused_as_soon_as_it_shows() {
    let settings = Settings {
        max_response_body: 1_000,
        ..SETTINGS
    };
    let run = run(put(5_000), settings, &[], block_server(64));
    assert_eq!(run.outcome, Err(ExchangeError::TooLarge { limit: 1_000 }));
    let downloads = run
        .sent
        .iter()
        .filter(|(_, datagram)| datagram.message.option(BLOCK2).is_some())
        .count();
    assert_eq!(downloads, 15);
}
