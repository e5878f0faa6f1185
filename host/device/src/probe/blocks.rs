//! Whether bodies go through in blocks (RFC 7959), in each direction.

use std::time::Duration;

use coap::client::{BlockSize, Settings};
use coap::option::{BLOCK1, CONTENT_FORMAT, SIZE1, URI_PATH, content_format};
use coap::{Block, Message, code};

use super::prober::{Patience, Prober};
use super::sizes::resources;

/// The block size of both tests: with header and options it fits one frame of 802.15.4.
const BLOCK: usize = 64;

/// Limit of the whole download: the list of resources has about ten blocks.
const DOWNLOAD_TIME: Duration = Duration::from_secs(60);

/// Limit of the list of resources: many rules can be mounted.
const DOWNLOAD_BYTES: usize = 16 * 1_024;

/// A result of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockWise {
    /// The blocks went through.
    Works,
    /// No response, or not all blocks.
    Fails,
    /// The gateway refused the request with this code, so the probe cannot tell.
    Refused(u8),
}

/// Fetches the list of resources in blocks of 64 bytes.
pub fn download(prober: &mut Prober<'_>) -> BlockWise {
    let size = BlockSize::new(BLOCK).unwrap_or(BlockSize::LARGEST);
    let settings = Settings {
        confirmable: true,
        block_size: size,
        ask_block_size: true,
        timeout: DOWNLOAD_TIME,
        max_response_body: DOWNLOAD_BYTES,
    };
    match prober.exchange(resources(), settings) {
        Some(response) if response.code == code::CONTENT => BlockWise::Works,
        Some(response) => BlockWise::Refused(response.code),
        None => BlockWise::Fails,
    }
}

/// Sends the first block of a body whose rest never follows, so nothing acts on it. A `POST /login` needs no access
/// token.
pub fn upload(prober: &mut Prober<'_>, patience: Patience) -> BlockWise {
    let first = Block {
        number: 0,
        more: true,
        size_exponent: 2,
    };
    let mut request = Message::new(code::POST)
        .with_option(URI_PATH, "login")
        .with_uint_option(CONTENT_FORMAT, content_format::CBOR.into())
        .with_option(BLOCK1, first.encode())
        .with_uint_option(SIZE1, 2 * BLOCK as u32);
    request.payload = vec![0; BLOCK];
    match prober.ask(&request, patience) {
        Some(received) if received.datagram.message.code == code::CONTINUE => BlockWise::Works,
        Some(received) => BlockWise::Refused(received.datagram.message.code),
        None => BlockWise::Fails,
    }
}
