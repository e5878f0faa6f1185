//! The decisions of a seed: the exchanges of each device, one after the other, and the caller's response to each.

use std::time::Duration;

use super::network::Random;
use super::*;
use crate::client::{BlockSize, Settings};
use crate::code::{CHANGED, CONTENT, GET, POST, PUT};
use crate::option::{URI_PATH, URI_QUERY};

/// Most blocks of a body, each way: within the responses that are retained per peer, so that none is forgotten early.
const MOST_BLOCKS: u64 = 8;

/// One exchange. Its number is in its Uri-Query, and in every byte of its bodies.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) number: u32,
    method: u8,
    pub(super) request_length: usize,
    pub(super) response_length: usize,
    pub(super) settings: Settings,
    /// How long the caller of the endpoint needs; beyond the delay of the empty ACK the response is separate.
    pub(super) thinking: Duration,
    /// How long the device waits before it.
    pub(super) pause: Duration,
    /// Whether the caller processes it only once the device has proven its address.
    pub(super) needs_proof: bool,
    /// Whether the device understands options above 60, such as Echo.
    has_token: bool,
}

impl Errand {
    pub(super) fn of(number: u32, random: &mut Random) -> Self {
        let confirmable = !random.percent(20);
        let block_size =
            BlockSize::new(random.pick(&[16, 64, 256, 1024])).unwrap_or(BlockSize::LARGEST);
        let method = random.pick(&[GET, POST, PUT]);
        let length = |random: &mut Random| {
            let most = random.pick(&[0, 16, MOST_BLOCKS * block_size.bytes() as u64]);
            random.below(most) as usize
        };
        Self {
            number,
            method,
            request_length: if method == GET { 0 } else { length(random) },
            response_length: length(random),
            settings: Settings {
                confirmable,
                block_size,
                ask_block_size: true,
                // For a CON above MAX_TRANSMIT_WAIT of each block: only a request that was acknowledged and then
                // got no response gets there.
                timeout: Duration::from_secs(if confirmable { 2_000 } else { 1_000 }),
                max_response_body: 100_000,
            },
            thinking: {
                let most = random.pick(&[1, 900, 3_000, 8_000]);
                random.milliseconds(most)
            },
            pause: {
                let most = random.pick(&[1, 10_000]);
                random.milliseconds(most)
            },
            needs_proof: random.percent(30),
            has_token: random.percent(50),
        }
    }

    pub(super) fn request(&self) -> Message {
        let request = Message::new(self.method)
            .with_option(URI_PATH, "resource")
            .with_option(URI_QUERY, self.number.to_be_bytes())
            .with_payload(self.body(self.request_length, 0));
        if self.has_token {
            request.with_option(ACCESS_TOKEN, "secret")
        } else {
            request
        }
    }

    /// The number of the errand that this request belongs to.
    pub(super) fn number_in(request: &Message) -> u32 {
        let query = request
            .option(URI_QUERY)
            .and_then(|query| query.try_into().ok());
        u32::from_be_bytes(query.expect("every request has its number"))
    }

    pub(super) fn response(&self) -> Message {
        let code = if self.method == GET { CONTENT } else { CHANGED };
        Message::new(code).with_payload(self.body(self.response_length, 1))
    }

    /// Whether it may be carried out again: a GET changes nothing, so its response is not kept for duplicates.
    pub(super) fn is_safe(&self) -> bool {
        self.method == GET
    }

    /// Bytes that no other errand, no other direction and no other position has.
    fn body(&self, length: usize, direction: u32) -> Vec<u8> {
        let words = (0..).map(|position: u32| {
            (self.number << 1 | direction).wrapping_mul(0x0100_0193) ^ position
        });
        words.flat_map(u32::to_be_bytes).take(length).collect()
    }
}
