//! Honest devices: each sends a request, retransmits it as RFC 7252 §4.2 has it, and measures the time to the response.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::encoding::{Writer, message};
use crate::device::option;
use crate::raw::Raw;
use crate::tally::Tally;

/// ACK_TIMEOUT and MAX_RETRANSMIT of RFC 7252 §4.8.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_RETRANSMIT: u32 = 4;
/// Bytes of a block of an upload, and their exponent.
const BLOCK: usize = 32;
const BLOCK_EXPONENT: u32 = 1;

/// The requests of one device.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// Latencies from the first transmission to the response; requests without a response, or with an error.
    pub tally: Tally,
    /// Texts of the messages that were accepted.
    pub accepted: Vec<String>,
}

/// A request that a device makes again and again.
#[derive(Clone, Copy, Debug)]
pub enum Errand {
    /// `GET /time`.
    Time,
    /// `PUT /send` in one datagram.
    Send,
    /// `PUT /send` in blocks.
    Upload,
}

/// Makes requests, one each period, until `stop`.
pub fn work(gateway: SocketAddr, errand: Errand, period: Duration, stop: &AtomicBool) -> Requests {
    let device = Raw::connect(gateway);
    let mut requests = Requests::default();
    let mut count = 0_u16;
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let text = format!("{errand:?} of an honest device, number {count:05}");
        let began = Instant::now();
        let result = match errand {
            Errand::Time => {
                let bytes = Writer::new(0, 1, count, count).path("time").end();
                exchange(&device, &bytes, count)
            }
            Errand::Send => {
                let bytes = send(count, count).payload(&message(&text));
                exchange(&device, &bytes, count)
            }
            Errand::Upload => upload(&device, count.wrapping_mul(16), &message(&text)),
        };
        let outcome = result.and_then(|code| match code >> 5 {
            2 => Ok(()),
            class => Err(format!("{class}.{:02}", code & 0x1f)),
        });
        if outcome.is_ok() && !matches!(errand, Errand::Time) {
            requests.accepted.push(text);
        }
        requests.tally.count(outcome, began.elapsed());
        count += 1;
        due += period;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    requests
}

fn send(message_id: u16, token: u16) -> Writer {
    Writer::new(0, 3, message_id, token)
        .path("send/!honest:h")
        .cbor()
}

fn upload(device: &Raw, first_id: u16, body: &[u8]) -> Result<u8, String> {
    let blocks: Vec<&[u8]> = body.chunks(BLOCK).collect();
    let mut code = 0;
    for (block, payload) in (0..).zip(&blocks) {
        let message_id = first_id.wrapping_add(block as u16);
        let is_more = block as usize + 1 < blocks.len();
        let bytes = send(message_id, first_id)
            .block1(block, is_more, BLOCK_EXPONENT)
            .option(option::REQUEST_TAG, &first_id.to_be_bytes())
            .payload(payload);
        code = exchange(device, &bytes, message_id)?;
        if code >> 5 != 2 {
            break;
        }
    }
    Ok(code)
}

/// The code of the response to a confirmable request. A separate response is acknowledged.
///
/// # Errors
/// No response, or RST.
pub fn exchange(device: &Raw, request: &[u8], message_id: u16) -> Result<u8, String> {
    let token = &request[4..6];
    let mut timeout = ACK_TIMEOUT;
    for _ in 0..=MAX_RETRANSMIT {
        device.send(request);
        let end = Instant::now() + timeout;
        while let Some(left) = end
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            let Some(datagram) = device.receive(left) else {
                break;
            };
            if datagram.len() < 4 {
                continue;
            }
            let (message_type, code) = (datagram[0] >> 4 & 3, datagram[1]);
            let id = u16::from_be_bytes([datagram[2], datagram[3]]);
            if code == 0 {
                match message_type {
                    // A ping of the gateway (RFC 7252 §4.3).
                    0 => device.send(&[0x70, 0, datagram[2], datagram[3]]),
                    3 if id == message_id => return Err("reset".to_owned()),
                    _ => {}
                }
                continue;
            }
            if message_type == 0 {
                device.send(&[0x60, 0, datagram[2], datagram[3]]);
            }
            // The blocks of an upload have one token: an ACK of an earlier block, sent again, is not for this one.
            let is_of_other = message_type == 2 && id != message_id;
            if datagram.get(4..6) == Some(token) && !is_of_other {
                return Ok(code);
            }
        }
        timeout *= 2;
    }
    Err("no response".to_owned())
}

/// How often each text came to the homeserver under another transaction id.
pub fn arrivals<'a>(
    received: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> BTreeMap<String, usize> {
    let mut targets: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (target, body) in received {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(body) else {
            continue;
        };
        if let Some(text) = event["body"].as_str() {
            targets.entry(text.to_owned()).or_default().push(target);
        }
    }
    let distinct = |mut targets: Vec<&str>| {
        targets.sort_unstable();
        targets.dedup();
        targets.len()
    };
    targets
        .into_iter()
        .map(|(text, targets)| (text, distinct(targets)))
        .collect()
}
