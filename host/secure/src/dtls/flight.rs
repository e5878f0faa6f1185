//! Which unprotected records a handshake takes from its device.
//!
//! Whoever knows the address of a device can send them in its name. The library queues each well-formed record until
//! the messages before it have come, also one that never has a place: one such record would stop the handshake. Here
//! only the records of the device's flight pass (RFC 5246 §7.3), each message with its one number.

use super::method::Method;
use super::reader::Reader;
use super::record::{ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Record};

/// Messages of the device after its ClientHello, in their order: ClientKeyExchange; Certificate, ClientKeyExchange,
/// CertificateVerify. Finished is protected.
const PSK: &[u8] = &[CLIENT_KEY_EXCHANGE];
const CERTIFICATE: &[u8] = &[11, CLIENT_KEY_EXCHANGE, 15];
const CLIENT_KEY_EXCHANGE: u8 = 16;

/// The longest message: a chain of certificates, and more than a handshake may receive.
const LONGEST_MESSAGE: u32 = 16 * 1_024;

/// Whether the record belongs to the flight after a ClientHello with this message number, or protects itself.
pub(super) fn contains(method: Method, hello_seq: u16, record: &Record<'_>) -> bool {
    match (record.epoch, record.content_type) {
        (0, HANDSHAKE) => are_messages(method, hello_seq, record.fragment),
        (0, CHANGE_CIPHER_SPEC) => record.fragment == [1],
        (0, ALERT) => record.fragment.len() == 2,
        (epoch, _) => epoch == 1,
    }
}

fn are_messages(method: Method, hello_seq: u16, fragment: &[u8]) -> bool {
    let mut reader = Reader::new(fragment);
    let mut message = || {
        is_message(method, hello_seq, &mut reader)?;
        Some(reader.rest().is_empty())
    };
    loop {
        match message() {
            None => return false,
            Some(true) => return true,
            Some(false) => {}
        }
    }
}

/// Takes a message, or a fragment of one. None if it is not of the flight.
fn is_message(method: Method, hello_seq: u16, reader: &mut Reader<'_>) -> Option<()> {
    let [kind] = *reader.bytes(1)? else {
        return None;
    };
    let length = reader.u24()?;
    let message_seq = reader.u16()?;
    let offset = reader.u24()?;
    let fragment = reader.u24()?;
    reader.bytes(fragment as usize)?;
    let flight = match method {
        Method::Psk => PSK,
        Method::Certificate => CERTIFICATE,
    };
    let place = message_seq.checked_sub(hello_seq + 1)?;
    let is_in_place = flight.get(usize::from(place)) == Some(&kind);
    let is_within = offset + fragment <= length && length <= LONGEST_MESSAGE;
    // A fragment without a byte, of a message that has some, is none.
    let is_part = fragment > 0 || length == 0;
    (is_in_place && is_within && is_part).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtls::record::{first, plain};

    fn passes(method: Method, content_type: u8, fragment: &[u8]) -> bool {
        let datagram = plain(content_type, 3, fragment);
        contains(method, 1, &first(&datagram).expect("a record"))
    }

    fn message(kind: u8, seq: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() as u8;
        [&[kind, 0, 0, length, 0, seq, 0, 0, 0, 0, 0, length], body].concat()
    }

    #[test]
    fn each_message_passes_with_its_number_only() {
        for (method, flight) in [(Method::Psk, PSK), (Method::Certificate, CERTIFICATE)] {
            for kind in 0..30 {
                for seq in 0..10 {
                    let expected = seq >= 2 && flight.get(usize::from(seq) - 2) == Some(&kind);
                    assert_eq!(
                        passes(method, HANDSHAKE, &message(kind, seq, b"body")),
                        expected
                    );
                }
            }
        }
        let two = [message(11, 2, b"certificate"), message(16, 3, b"key")].concat();
        assert!(passes(Method::Certificate, HANDSHAKE, &two));
    }

    #[test]
    fn a_message_without_body_or_beyond_its_length_does_not_pass() {
        let whole = message(16, 2, b"identity");
        for length in 0..whole.len() {
            assert!(!passes(Method::Psk, HANDSHAKE, &whole[..length]));
        }
        let mut beyond = whole.clone();
        beyond[8] = 1;
        assert!(!passes(Method::Psk, HANDSHAKE, &beyond));
        let empty = [16, 0, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0];
        assert!(!passes(Method::Psk, HANDSHAKE, &empty));
    }

    #[test]
    fn only_a_change_cipher_spec_of_one_byte_and_an_alert_of_two_pass() {
        assert!(
            passes(Method::Psk, CHANGE_CIPHER_SPEC, &[1]) && passes(Method::Psk, ALERT, &[2, 40])
        );
        assert!(!passes(Method::Psk, CHANGE_CIPHER_SPEC, &[]) && !passes(Method::Psk, ALERT, &[2]));
    }
}
