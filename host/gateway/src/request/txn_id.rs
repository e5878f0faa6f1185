//! Ids of exchanges (`flow-id` of the contract). Rules make Matrix transaction ids of them, by which a homeserver
//! recognises a message that comes again.
//!
//! A device repeats a confirmable request until it has the response. The endpoint retains responses for such
//! duplicates, but they can leave early: by a flood, or by a restart. Then the request reaches the rule again. 2.04 is
//! a promise: the message is in the room, and it is there once. So the id of a request that changes something is
//! derived from all that makes two datagrams one message (RFC 7252 §4.4, §4.5):
//!
//! - *The device*: its principal, else its address and port. A port may change behind a NAT; then this gateway cannot
//!   distinguish a duplicate from another device's message, and one too many is better than one that is missing.
//! - *The gateway's address* that it was sent to: another server is another endpoint.
//! - *Message type, message ID and token.* A device that sends the same temperature again uses the next message ID.
//! - *The content*: code, options and payload of the whole request. A device that has rebooted begins with the same
//!   message ID and token again, mostly with another request.
//! - *The time.* After EXCHANGE_LIFETIME (247 s; NON_LIFETIME for a NON) the same bytes are a new message: that device
//!   may say "on" after each reboot. Homeservers remember transaction ids for a day and would swallow it.
//!
//! The time is that of the first receipt, as [`RecentMessages`] has it, divided by the lifetime. So two receipts have
//! the same id if and only if the second one comes within the lifetime. A restart forgets no receipt if there is a
//! folder in memory ([`RecentFile`]). If the first receipt has been forgotten, by a flood of real messages, the present
//! time takes its place: the id is never that of a message before
//! the lifetime, and it is that of the first receipt unless a window has ended in between. For a retransmission after
//! 10 s, that is one of 25.
//!
//! The clock counts from the machine's boot, and the [key](TxnKey) lasts as long. The time of day would not do: a
//! router without a battery for its clock repeats it after every power cut, and its devices repeat their first messages
//! then.
//!
//! Any other request gets a random id: it may be executed twice.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

use super::recent_file::{Digest, RecentFile, Remembered};
use super::recent_messages::RecentMessages;
use super::source::Request;
use super::txn_key::TxnKey;
use crate::outbox::Received;
use coap::{MessageType, code};
use contract::Peer;
use share::Owner;

/// Bytes of an id: 128 random bits do not repeat.
const BYTES: usize = 16;
/// Distinguishes the hash of a message from others.
const DOMAIN: &[u8] = b"comatrix message 1";
/// Ids per request for random numbers: one system call per id would double an id's cost.
const BATCH: usize = 32;

/// An exchange's id.
pub(super) struct TxnId {
    /// 32 hexadecimal digits.
    pub(super) text: String,
    /// None if the request is safe.
    pub(super) received: Option<ReceivedMessage>,
}

/// A message that changes something.
pub(super) struct ReceivedMessage {
    digest: Digest,
    first: Duration,
    lifetime: Duration,
    owner: Owner,
    is_repeated: bool,
}

impl ReceivedMessage {
    /// What identifies it, for its delivery.
    pub(super) fn identity(&self) -> Received {
        Received {
            digest: self.digest,
            lifetime: self.lifetime,
            is_repeated: self.is_repeated,
        }
    }
}

/// Makes ids that cannot be guessed. Two messages never have the same.
pub(super) struct TxnIds {
    key: TxnKey,
    recent: RefCell<RecentMessages>,
    random: RefCell<Batch>,
    file: RefCell<Option<RecentFile>>,
}

struct Batch {
    random: [u8; BYTES * BATCH],
    used: usize,
}

/// The lifetimes of message IDs (RFC 7252 §4.8.2).
#[derive(Clone, Copy)]
pub(super) struct Lifetimes {
    pub(super) confirmable: Duration,
    pub(super) non_confirmable: Duration,
}

impl TxnIds {
    pub(super) fn new(key: TxnKey) -> Self {
        Self {
            key,
            recent: RefCell::default(),
            random: RefCell::new(Batch {
                random: [0; BYTES * BATCH],
                used: BYTES * BATCH,
            }),
            file: RefCell::default(),
        }
    }

    /// Remembers messages also in this file, and those that are in it.
    pub(super) fn keep_in(&self, mut file: RecentFile) {
        let before = file.take_before();
        self.recent.borrow_mut().restore(since_boot(), &before);
        *self.file.borrow_mut() = Some(file);
    }

    /// The id of a request that is received at `now`.
    pub(super) fn of(&self, now: Duration, request: &Request, lifetimes: Lifetimes) -> TxnId {
        if code::is_safe(request.message.code) {
            let text = self.random();
            let received = None;
            return TxnId { text, received };
        }
        let lifetime = match request.message_type {
            MessageType::Confirmable => lifetimes.confirmable,
            _ => lifetimes.non_confirmable,
        };
        let digest = first_half(&Self::digest(request).finalize());
        let recent = self.recent.borrow();
        let before = recent.find(now, &digest, lifetime);
        let first = before.unwrap_or(now);
        let window = first.as_nanos() / lifetime.as_nanos().max(1);
        let id = Sha256::new().chain_update(self.key.bytes());
        let id = id
            .chain_update(digest)
            .chain_update(window.to_be_bytes())
            .finalize();
        TxnId {
            text: hexadecimal(&first_half(&id)),
            received: Some(ReceivedMessage {
                digest,
                first,
                lifetime,
                owner: request.peer.owner,
                is_repeated: before.is_some(),
            }),
        }
    }

    /// The homeserver acts on the message: its duplicates must have the same id.
    pub(super) fn remember(&self, now: Duration, received: ReceivedMessage) {
        let ReceivedMessage {
            digest,
            first,
            lifetime,
            owner,
            ..
        } = received;
        let mut recent = self.recent.borrow_mut();
        if recent.remember(now, digest, first, lifetime, owner)
            && let Some(file) = &mut *self.file.borrow_mut()
        {
            file.add(&Remembered {
                digest,
                first,
                lifetime,
            });
        }
    }

    /// The hash of all that identifies the message. It has no key: a stored delivery keeps it over a reboot. Each part
    /// has its length before it, so that no part can pass for another one.
    fn digest(request: &Request) -> Sha256 {
        let mut hash = Sha256::new().chain_update(DOMAIN);
        update_with_device(&mut hash, &request.peer.device);
        update_with_address(&mut hash, request.peer.local);
        let is_confirmable = request.message_type == MessageType::Confirmable;
        hash.update([u8::from(is_confirmable)]);
        hash.update(request.message_id.to_be_bytes());
        update_with(&mut hash, request.token.as_bytes());
        let message = &request.message;
        hash.update([message.code]);
        hash.update(message.options.len().to_be_bytes());
        for option in &message.options {
            hash.update(option.number.to_be_bytes());
            update_with(&mut hash, &option.value);
        }
        update_with(&mut hash, &message.payload);
        hash
    }

    fn random(&self) -> String {
        let mut batch = self.random.borrow_mut();
        if batch.used == BYTES * BATCH {
            // The system's generator does not fail once the system has started. There is no fallback: with equal ids,
            // a homeserver would take two messages for one.
            getrandom::fill(&mut batch.random)
                .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
            batch.used = 0;
        }
        let id = hexadecimal(&batch.random[batch.used..][..BYTES]);
        batch.used += BYTES;
        id
    }
}

/// The time since the machine started, also while it slept.
pub(super) fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn update_with(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

fn update_with_device(hash: &mut Sha256, device: &Peer) {
    let principal = device.principal.as_ref().filter(|_| device.authenticated);
    match principal {
        Some(principal) => {
            hash.update([1]);
            update_with(hash, principal.as_bytes());
        }
        None => {
            hash.update([0]);
            update_with_address(hash, Some(device.id));
        }
    }
}

fn update_with_address(hash: &mut Sha256, address: Option<SocketAddr>) {
    let (ip, zone) = match address {
        Some(SocketAddr::V4(v4)) => (v4.ip().to_ipv6_mapped().octets(), 0),
        Some(SocketAddr::V6(v6)) => (v6.ip().octets(), v6.scope_id()),
        None => return hash.update([0]),
    };
    hash.update([1]);
    hash.update(ip);
    hash.update(zone.to_be_bytes());
    hash.update(address.map_or(0, |address| address.port()).to_be_bytes());
}

fn first_half(hash: &[u8]) -> Digest {
    let mut half = Digest::default();
    half.copy_from_slice(&hash[..BYTES]);
    half
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
    digits.collect()
}

#[cfg(test)]
mod tests;
