//! What the operator reads of handshakes that were refused.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use secure::{dtls, edhoc, oscore};
use share::Owner;
use transport::UdpPeer;

use crate::telemetry::address_lines::{AddressLines, Notice};

/// Bytes of the reason: it has an identity that anybody may have sent.
const MAX_REASON: usize = 300;

/// Logs a refused handshake: each reason of an address once an hour, and of one host an eighth of all such lines.
pub(super) fn log(
    lines: &AddressLines,
    now: Instant,
    owner: Owner,
    peer: &UdpPeer,
    refusal: &dtls::Refusal,
) {
    let text = contract::escaping::escaped(&refusal.to_string(), MAX_REASON);
    log_text(
        lines,
        now,
        owner,
        peer,
        &format!("cannot open a session: {text}"),
    );
}

/// The same for a request that OSCORE refused. Its `kid` may name a device that has not sent it.
pub(super) fn log_protected(
    lines: &AddressLines,
    now: Instant,
    owner: Owner,
    peer: &UdpPeer,
    device: Option<&str>,
    refusal: oscore::Refusal,
) {
    let named = device.map_or_else(String::new, |device| format!(" in the name of {device}"));
    let text = format!("sent a protected request{named} that was refused: {refusal}");
    log_text(lines, now, owner, peer, &text);
}

/// The same for a message of EDHOC.
pub(super) fn log_edhoc(
    lines: &AddressLines,
    now: Instant,
    owner: Owner,
    peer: &UdpPeer,
    refusal: edhoc::Refusal,
) {
    let text = format!("cannot agree on a security context by EDHOC: {refusal}");
    log_text(lines, now, owner, peer, &text);
}

fn log_text(lines: &AddressLines, now: Instant, owner: Owner, peer: &UdpPeer, text: &str) {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let notice = Notice::Secured(hasher.finish());
    lines.log_text(now, notice, peer.remote.ip(), owner, text);
}
