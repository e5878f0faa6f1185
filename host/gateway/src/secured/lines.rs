//! What the operator reads of handshakes that were refused.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use secure::dtls::Refusal;
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
    refusal: &Refusal,
) {
    let text = contract::escaping::escaped(&refusal.to_string(), MAX_REASON);
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let notice = Notice::Handshake(hasher.finish());
    lines.log_text(
        now,
        notice,
        peer.remote.ip(),
        owner,
        &format!("cannot open a session: {text}"),
    );
}
