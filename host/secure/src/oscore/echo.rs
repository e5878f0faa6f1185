//! The Echo value that recovers a lost replay window (RFC 8613 Appendix B.1.2).
//!
//! It is a counter that the store holds (RFC 9175 Appendix A, "Persistent Counter"): where the sequence numbers began
//! at this start. Each start reserves numbers before it verifies anything, so no value comes twice, and challenges are
//! protected, so nobody else makes or reads one. A random value would have to be longer: too long for the challenge of
//! a short request, which may have come from a forged address and must not get more bytes than it has.

/// The value since a start whose numbers began here: the fewest bytes.
pub(super) fn echo(resumed_at: u64) -> Vec<u8> {
    let bytes = resumed_at.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // An Echo value has at least one byte (RFC 9175 §2.2).
    bytes[zeros.min(bytes.len() - 1)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_its_own_value_in_the_fewest_bytes() {
        assert_eq!(echo(0), [0]);
        assert_eq!(echo(256), [1, 0]);
        assert_eq!(echo(512), [2, 0]);
        assert_eq!(echo(1 << 40), [1, 0, 0, 0, 0, 0]);
    }
}
