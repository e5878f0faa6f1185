//! Records of DTLS 1.2 (RFC 6347 §4.1): read from a datagram, and the few that are written without a session.

/// Bytes before the fragment of a record: type, version, epoch, sequence number, length.
pub(super) const HEADER: usize = 13;

/// Bytes that protection adds to a record of PSK_AES128_CCM_8, its header included: 13, an explicit nonce of 8 and a
/// tag of 8 (RFC 6655 §3, §4).
pub(super) const CCM_8_OVERHEAD: usize = HEADER + 8 + 8;

/// The same of AES-GCM, whose tag has 16 bytes (RFC 5288 §3). ChaCha20-Poly1305 adds less.
pub(super) const GCM_OVERHEAD: usize = HEADER + 8 + 16;

/// Content types (RFC 5246 §6.2.1).
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// DTLS 1.2, in records and handshake messages.
pub(super) const DTLS_1_2: [u8; 2] = [0xfe, 0xfd];

/// DTLS 1.0: in the first record of many clients, and in a HelloVerifyRequest (RFC 6347 §4.2.1).
pub(super) const DTLS_1_0: [u8; 2] = [0xfe, 0xff];

/// The largest number of a record (RFC 6347 §4.1): 48 bits.
const LARGEST_SEQUENCE: u64 = (1 << 48) - 1;

/// Alerts that the gateway sends itself (RFC 5246 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alert {
    /// No common cipher suite, no extended master secret, or a handshake that the library refused.
    HandshakeFailure = 40,
    /// The certificate is not accepted. One for all reasons: an attacker learns none.
    BadCertificate = 42,
    /// A wrong key and an unknown identity alike.
    DecryptError = 51,
    /// Another version of DTLS.
    ProtocolVersion = 70,
    /// No room for another session.
    InternalError = 80,
}

/// A record within a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) content_type: u8,
    pub(super) epoch: u16,
    /// Its number within the epoch, 48 bits.
    pub(super) sequence: u64,
    /// After the header; ciphertext from epoch 1 on.
    pub(super) fragment: &'a [u8],
    /// With the header.
    pub(super) bytes: &'a [u8],
}

/// The records of a datagram, up to the first malformed one.
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let record = first(rest)?;
        rest = &rest[record.bytes.len()..];
        Some(record)
    })
}

/// The first record of a datagram. None if it is cut, or of another protocol.
pub(super) fn first(datagram: &[u8]) -> Option<Record<'_>> {
    let (header, rest) = datagram.split_first_chunk::<HEADER>()?;
    let [
        content_type,
        major,
        minor,
        e0,
        e1,
        s0,
        s1,
        s2,
        s3,
        s4,
        s5,
        l0,
        l1,
    ] = *header;
    let is_known = (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&content_type);
    if !is_known || ![DTLS_1_0, DTLS_1_2].contains(&[major, minor]) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    Some(Record {
        content_type,
        epoch: u16::from_be_bytes([e0, e1]),
        sequence: u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]),
        fragment: rest.get(..length)?,
        bytes: datagram.get(..HEADER + length)?,
    })
}

/// A record of epoch 0.
pub(super) fn plain(content_type: u8, sequence: u64, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + fragment.len());
    bytes.push(content_type);
    bytes.extend_from_slice(&DTLS_1_2);
    bytes.extend_from_slice(&(sequence & LARGEST_SEQUENCE).to_be_bytes());
    bytes.extend_from_slice(&(fragment.len() as u16).to_be_bytes());
    bytes.extend_from_slice(fragment);
    bytes
}

/// A fatal alert of epoch 0.
pub(super) fn alert(sequence: u64, alert: Alert) -> Vec<u8> {
    const FATAL: u8 = 2;
    plain(ALERT, sequence, &[FATAL, alert as u8])
}

/// The record with another number, if it belongs to epoch 0: there it is neither encrypted nor authenticated.
pub(super) fn renumbered(record: Record<'_>, sequence: u64) -> Vec<u8> {
    let mut bytes = record.bytes.to_vec();
    if record.epoch == 0 {
        bytes[5..11].copy_from_slice(&(sequence & LARGEST_SEQUENCE).to_be_bytes()[2..]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_another_may_follow() {
        let mut datagram = plain(HANDSHAKE, 0x0102_0304_0506, b"abc");
        datagram.extend(alert(7, Alert::DecryptError));
        let read: Vec<_> = records(&datagram).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].sequence, read[0].epoch, read[0].fragment),
            (0x0102_0304_0506, 0, b"abc".as_slice())
        );
        assert_eq!(
            (read[1].sequence, read[1].fragment),
            (7, [2, 51].as_slice())
        );
    }

    #[test]
    fn a_cut_record_and_another_protocol_are_none() {
        let datagram = plain(HANDSHAKE, 1, b"abc");
        for length in 0..datagram.len() {
            assert_eq!(first(&datagram[..length]), None);
        }
        let mut other = datagram;
        other[1] = 3;
        assert_eq!(first(&other), None);
    }

    #[test]
    fn only_a_record_of_epoch_0_gets_another_number() {
        let datagram = plain(HANDSHAKE, 1, b"abc");
        let read = first(&datagram).expect("a record");
        assert_eq!(renumbered(read, 9), plain(HANDSHAKE, 9, b"abc"));
        let protected = Record { epoch: 1, ..read };
        assert_eq!(renumbered(protected, 9), datagram);
    }
}
