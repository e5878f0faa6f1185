//! Requests as bytes, also those that no codec would make.

use crate::device::{CBOR, option};

/// A datagram that is being written. Options come in the order of their numbers.
pub struct Writer {
    bytes: Vec<u8>,
    last: u16,
}

impl Writer {
    /// A header (RFC 7252 §3) with a token of two bytes.
    pub fn new(message_type: u8, code: u8, message_id: u16, token: u16) -> Self {
        let [id_high, id_low] = message_id.to_be_bytes();
        let [token_high, token_low] = token.to_be_bytes();
        let first = 0x42 | message_type << 4;
        Self {
            bytes: vec![first, code, id_high, id_low, token_high, token_low],
            last: 0,
        }
    }

    /// Adds an option.
    pub fn option(mut self, number: u16, value: &[u8]) -> Self {
        let (delta, delta_bytes) = extended(u32::from(number - self.last));
        let (length, length_bytes) = extended(value.len() as u32);
        self.bytes.push(delta << 4 | length);
        self.bytes.extend_from_slice(&delta_bytes);
        self.bytes.extend_from_slice(&length_bytes);
        self.bytes.extend_from_slice(value);
        self.last = number;
        self
    }

    /// Repeats the last option with this value of one byte, or with none.
    pub fn repeated(mut self, count: usize, value: Option<u8>) -> Self {
        let one: &[u8] = match &value {
            Some(value) => &[0x01, *value],
            None => &[0x00],
        };
        for _ in 0..count {
            self.bytes.extend_from_slice(one);
        }
        self
    }

    /// The segments of a path.
    pub fn path(self, path: &str) -> Self {
        path.split('/').fold(self, |writer, segment| {
            writer.option(option::URI_PATH, segment.as_bytes())
        })
    }

    /// The payload's format.
    pub fn cbor(self) -> Self {
        self.option(option::CONTENT_FORMAT, &CBOR.to_be_bytes()[1..])
    }

    /// Block1 (RFC 7959 §2.2): the block's number, whether more follow, and the exponent of its size.
    pub fn block1(self, block: u32, is_more: bool, size_exponent: u32) -> Self {
        let value = (block << 4 | u32::from(is_more) << 3 | size_exponent).to_be_bytes();
        let zeros = value.iter().take_while(|byte| **byte == 0).count();
        self.option(option::BLOCK1, &value[zeros..])
    }

    /// The datagram without a payload.
    pub fn end(self) -> Vec<u8> {
        self.bytes
    }

    /// The datagram with this payload, which is not empty.
    pub fn payload(mut self, payload: &[u8]) -> Vec<u8> {
        self.bytes.push(0xff);
        self.bytes.extend_from_slice(payload);
        self.bytes
    }
}

/// The nibble of a delta or length, and its extension (RFC 7252 §3.1).
fn extended(value: u32) -> (u8, Vec<u8>) {
    match value {
        0..13 => (value as u8, vec![]),
        13..269 => (13, vec![(value - 13) as u8]),
        _ => (14, ((value - 269) as u16).to_be_bytes().to_vec()),
    }
}

/// A message in CBOR with this text, of 24 to 255 bytes.
pub fn message(text: &str) -> Vec<u8> {
    let mut payload = b"\xa2\x67msgtype\x66m.text\x64body\x78".to_vec();
    payload.push(text.len() as u8);
    payload.extend_from_slice(text.as_bytes());
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_lite::{CoapOption, Packet};

    #[test]
    fn requests_are_read_by_a_codec() {
        let bytes = Writer::new(0, 3, 7, 9)
            .path("send/!r:h")
            .cbor()
            .block1(200, true, 6)
            .option(option::REQUEST_TAG, b"tag")
            .option(2076, &[0; 300])
            .payload(b"x");
        let packet = Packet::from_bytes(&bytes).expect("it is CoAP");
        let path: Vec<_> = packet
            .get_option(CoapOption::UriPath)
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(path, [b"send".as_slice(), b"!r:h"]);
        let block = packet
            .get_first_option(CoapOption::Block1)
            .expect("it has one");
        assert_eq!(block, &vec![0x0c, 0x8e]);
        let long = packet
            .get_first_option(CoapOption::Unknown(2076))
            .map(Vec::len);
        assert_eq!(
            (long, packet.payload.as_slice()),
            (Some(300), b"x".as_slice())
        );
    }

    #[test]
    fn repeated_options_count() {
        let bytes = Writer::new(1, 1, 7, 9)
            .option(4, b"e")
            .repeated(9, Some(b'e'))
            .end();
        let packet = Packet::from_bytes(&bytes).expect("it is CoAP");
        assert_eq!(
            packet.get_option(CoapOption::ETag).map(|tags| tags.len()),
            Some(10)
        );
    }
}
