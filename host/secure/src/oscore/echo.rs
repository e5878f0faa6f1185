//! The Echo value that recovers a lost replay window (RFC 8613 Appendix B.1.2).

use sha2::{Digest, Sha256};

use super::reservation::ContextId;

/// Bytes of a value. It is secret and protected: 64 bits suffice.
pub(super) const ECHO_BYTES: usize = 8;

/// The value of a context since the start: the same for each challenge, until the window is recovered. A request that
/// has it was made after the start, so its number is none of those that were received before.
pub(super) fn echo(secret: &[u8; 32], context: ContextId) -> [u8; ECHO_BYTES] {
    let hash = Sha256::new()
        .chain_update(secret)
        .chain_update(context.0.to_be_bytes());
    let mut value = [0; ECHO_BYTES];
    value.copy_from_slice(&hash.finalize()[..ECHO_BYTES]);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_context_and_each_start_has_its_own_value() {
        let value = echo(&[1; 32], ContextId(1));
        assert_eq!(value, echo(&[1; 32], ContextId(1)));
        assert_ne!(value, echo(&[1; 32], ContextId(2)));
        assert_ne!(value, echo(&[2; 32], ContextId(1)));
    }
}
