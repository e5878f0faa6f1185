//! A device that sends messages one after the other, and repeats its last one after each kill.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::dice::Dice;
use crate::device::{JSON, Request, Response};
use crate::udp_device::{Retransmission, UdpDevice};

/// More often than RFC 7252 has it, so that a gateway that lives for a second gets repetitions too.
const RETRANSMISSION: Retransmission = Retransmission {
    timeout: Duration::from_millis(300),
    longest: Duration::from_millis(1200),
    give_up: Duration::from_secs(120),
};
/// A datagram is the same message for 247 s (EXCHANGE_LIFETIME).
const REPEATABLE: Duration = Duration::from_secs(180);

/// What a device is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its number.
    pub number: usize,
    /// Its address: another host than all others.
    pub address: IpAddr,
    /// The room that it sends to.
    pub room_id: String,
    /// The access token that it presents; none: the gateway's own is used.
    pub token: Option<String>,
    /// Whether its messages have transaction ids.
    pub has_txn: bool,
}

/// The messages of a device, in its order.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Texts of those that got 2.04.
    pub accepted: Vec<String>,
    /// Those of them that waited for the homeserver.
    pub queued: usize,
    /// Texts of those that got another response, or none: they may be in the room, once.
    pub unsure: Vec<(String, String)>,
    /// Messages that were sent again after a kill, although they had their 2.04.
    pub repeated: usize,
    /// Repetitions that got another response than 2.04.
    pub refused: Vec<String>,
}

/// What the devices and the run share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Kills so far.
    pub kills: AtomicUsize,
    /// Devices end.
    pub stop: AtomicBool,
}

/// An accepted message that can be repeated.
struct Last {
    datagram: Vec<u8>,
    request: Request,
    at: Instant,
    kills: usize,
}

/// Sends messages until the run stops.
pub fn work(identity: &Identity, gateway: SocketAddr, shared: &Shared) -> Ledger {
    let mut device = UdpDevice::at(identity.address, gateway).retransmitting(RETRANSMISSION);
    let mut dice = Dice::new(identity.number as u64 + 1);
    let mut ledger = Ledger::default();
    let mut last: Option<Last> = None;
    for count in 0.. {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let kills = shared.kills.load(Ordering::Relaxed);
        if let Some(last) = last.as_mut().filter(|last| last.kills < kills) {
            repeat(&mut device, identity, last, &mut ledger);
            last.kills = kills;
        }
        let text = format!("device {} message {count}", identity.number);
        let request = request(identity, count, &text);
        let datagram = device.datagram(&request);
        match device.exchange(&datagram) {
            Some(response) if response.code == "2.04" => {
                ledger.queued += usize::from(is_queued(&response));
                ledger.accepted.push(text);
                last = Some(Last {
                    datagram,
                    request,
                    at: Instant::now(),
                    kills,
                });
            }
            other => ledger.unsure.push((text, code(other))),
        }
        thread::sleep(dice.between(0, 2500));
    }
    ledger
}

/// The same datagram, and where there is a transaction id also a new one of the same message.
fn repeat(device: &mut UdpDevice, identity: &Identity, last: &Last, ledger: &mut Ledger) {
    if last.at.elapsed() > REPEATABLE {
        return;
    }
    let mut datagrams = vec![last.datagram.clone()];
    if identity.has_txn {
        datagrams.push(device.datagram(&last.request));
    }
    for datagram in datagrams {
        ledger.repeated += 1;
        let code = code(device.exchange(&datagram));
        if code != "2.04" {
            ledger.refused.push(code);
        }
    }
}

fn code(response: Option<Response>) -> String {
    response.map_or_else(|| "no response".to_owned(), |response| response.code)
}

fn is_queued(response: &Response) -> bool {
    let value: Value = serde_json::from_slice(&response.payload).unwrap_or_default();
    value.get("queued").is_some()
}

fn request(identity: &Identity, count: usize, text: &str) -> Request {
    let txn = if identity.has_txn {
        format!("/t{count}")
    } else {
        String::new()
    };
    let content = json!({ "msgtype": "m.text", "body": text }).to_string();
    let request = Request::new("PUT", &format!("/send/{}{txn}", identity.room_id))
        .bytes(content.as_bytes(), Some(JSON))
        .accept(JSON);
    match &identity.token {
        Some(token) => request.token(token),
        None => request,
    }
}
