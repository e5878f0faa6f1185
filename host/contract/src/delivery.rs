//! Deliveries (`types.delivery`): their form, and their id.
//!
//! The id is the last segment of the request's path, by which the homeserver recognises an attempt that comes again. It
//! is made of nothing that a power cut changes, and of all that makes two messages one: whoever repeats a message gets
//! its id again, and no other message has it.

use std::fmt;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::bindings::{Delivery, HttpRequest};
use crate::call::Method;
use crate::peer::Peer;
use crate::secret::AccessToken;

/// Bytes of a lane and of a transaction: a room id has at most 255, and so has a segment of Uri-Path (RFC 7252 §5.10).
pub const MAX_NAME: usize = 255;
/// Bytes of an id: as many as no two messages share by accident.
const BYTES: usize = 16;
/// Distinguishes these hashes from others of the same parts. Another way to make ids has another number.
const DOMAIN: &[u8] = b"comatrix delivery 1";
const SENDER_DOMAIN: &[u8] = b"comatrix sender 1";

/// The part of a delivery that the contract does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFault {
    /// It is empty or above [`MAX_NAME`].
    #[error("its lane has {0} bytes, a lane has 1 to {MAX_NAME}")]
    Lane(usize),
    /// It is empty or above [`MAX_NAME`].
    #[error("its transaction has {0} bytes, a transaction has 1 to {MAX_NAME}")]
    Transaction(usize),
    /// A homeserver recognises only a PUT by its transaction id.
    #[error("its method is not PUT")]
    Method,
    /// A delivery waits for nothing.
    #[error("its request has a hold")]
    Hold,
}

/// Checks a delivery's own parts. Those that it shares with calls are checked when it is made, with its id.
///
/// # Errors
/// [`DeliveryFault`].
pub fn check(delivery: &Delivery) -> Result<(), DeliveryFault> {
    let is_name = |text: &str| (1..=MAX_NAME).contains(&text.len());
    let Delivery {
        lane,
        transaction,
        step,
    } = delivery;
    if !is_name(lane) {
        return Err(DeliveryFault::Lane(lane.len()));
    }
    if !is_name(transaction) {
        return Err(DeliveryFault::Transaction(transaction.len()));
    }
    if step.request.method != Method::Put.name() {
        return Err(DeliveryFault::Method);
    }
    match step.request.hold_ms {
        0 => Ok(()),
        _ => Err(DeliveryFault::Hold),
    }
}

/// Identifies a device by what its request shows of it, without a secret. The port does not count: a device that starts
/// again has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sender([u8; 32]);

impl Sender {
    /// The device `peer`, which presented `token`: its principal if it is authenticated, else its IP address; and the
    /// token's digest.
    #[must_use]
    pub fn of(peer: &Peer, token: Option<&AccessToken>) -> Self {
        let mut hash = Self::of_device(peer);
        match token {
            Some(token) => {
                hash.update([1]);
                hash.update(token.digest());
            }
            None => hash.update([0]),
        }
        Self(hash.finalize().into())
    }

    /// The device `peer` under a session of this user, whose access token may become another one.
    #[must_use]
    pub fn of_session(peer: &Peer, user: &str) -> Self {
        let mut hash = Self::of_device(peer).chain_update([2]);
        update_with(&mut hash, user.as_bytes());
        Self(hash.finalize().into())
    }

    fn of_device(peer: &Peer) -> Sha256 {
        let mut hash = Sha256::new().chain_update(SENDER_DOMAIN);
        match peer.principal.as_ref().filter(|_| peer.authenticated) {
            Some(principal) => {
                hash.update([1]);
                update_with(&mut hash, principal.as_bytes());
            }
            None => {
                let ip = match peer.ip() {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                    IpAddr::V6(ip) => ip,
                };
                hash.update([0]);
                hash.update(ip.octets());
            }
        }
        hash
    }

    /// No device: for an exchange that is made to try a rule.
    #[must_use]
    pub fn nobody() -> Self {
        Self([0; 32])
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Identifies a delivery. `Display` writes the 32 hexadecimal digits that are its transaction id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId([u8; BYTES]);

impl DeliveryId {
    /// The id of a request (without the last segment of its path) that `sender` has sent with this transaction, to the
    /// homeserver of this origin: SHA-256 of all of them, cut to its first half. Each part has its length before it, so
    /// that no part can pass for another one.
    #[must_use]
    pub fn of(sender: &Sender, origin: &str, request: &HttpRequest, transaction: &str) -> Self {
        let mut hash = Sha256::new().chain_update(DOMAIN);
        hash.update(sender.as_bytes());
        update_with(&mut hash, origin.as_bytes());
        update_with_count(&mut hash, request.path.len());
        for segment in &request.path {
            update_with(&mut hash, segment.as_bytes());
        }
        update_with_count(&mut hash, request.query.len());
        for (name, value) in &request.query {
            update_with(&mut hash, name.as_bytes());
            update_with(&mut hash, value.as_bytes());
        }
        update_with(&mut hash, request.body.as_deref().unwrap_or_default());
        update_with(&mut hash, transaction.as_bytes());
        let mut id = [0; BYTES];
        id.copy_from_slice(&hash.finalize()[..BYTES]);
        Self(id)
    }

    /// From 32 hexadecimal digits in lower case, as `Display` writes them; none of any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * BYTES || !text.as_bytes().iter().all(is_digit) {
            return None;
        }
        let id = u128::from_str_radix(text, 16).ok()?;
        Some(Self(id.to_be_bytes()))
    }

    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryId({self})")
    }
}

/// Eight bytes of length on every machine: ids are stored.
fn update_with_count(hash: &mut Sha256, count: usize) {
    hash.update((count as u64).to_be_bytes());
}

fn update_with(hash: &mut Sha256, bytes: &[u8]) {
    update_with_count(hash, bytes.len());
    hash.update(bytes);
}

#[cfg(test)]
mod tests;
