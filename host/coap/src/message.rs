//! Messages as values: a request or response ([`Message`]), and its datagram ([`Datagram`]).

use std::fmt;

use crate::code::{self, Dotted};
use crate::option;

/// One option of a message. Its value may be a secret (an access token), so `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CoapOption {
    /// Number of the registry, see [`option`].
    pub number: u16,
    /// Value as on the wire.
    pub value: Vec<u8>,
}

/// A request or response without the fields of the message layer (type, message ID, token).
/// The payload may hold a password, so `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Method or response code, see [`code`].
    pub code: u8,
    /// In ascending order of their numbers; repeats in the order of the wire.
    pub options: Vec<CoapOption>,
    /// Empty if the message has none.
    pub payload: Vec<u8>,
}

impl Message {
    /// A message without options and payload.
    pub fn new(code: u8) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// A response whose payload is a diagnostic for people: UTF-8 without Content-Format (RFC 7252 §5.5.2).
    pub fn diagnostic(code: u8, text: impl Into<String>) -> Self {
        Self {
            code,
            options: Vec::new(),
            payload: text.into().into_bytes(),
        }
    }

    /// Bytes of memory that its options and payload take.
    pub(super) fn held_bytes(&self) -> usize {
        let values: usize = self
            .options
            .iter()
            .map(|option| option.value.capacity())
            .sum();
        values + self.options.capacity() * size_of::<CoapOption>() + self.payload.capacity()
    }

    /// Value of the first option with this number.
    pub fn option(&self, number: u16) -> Option<&[u8]> {
        self.options(number).next()
    }

    /// Values of all options with this number, in order.
    pub fn options(&self, number: u16) -> impl Iterator<Item = &[u8]> {
        self.options
            .iter()
            .filter(move |option| option.number == number)
            .map(|option| option.value.as_slice())
    }

    /// Value of the first option with this number as a uint (RFC 7252 §3.2); none if it is absent or longer
    /// than 4 bytes.
    pub fn uint_option(&self, number: u16) -> Option<u32> {
        self.option(number).and_then(decode_uint)
    }

    /// Adds an option after the others of its number.
    pub fn push_option(&mut self, number: u16, value: impl Into<Vec<u8>>) {
        let position = self
            .options
            .partition_point(|option| option.number <= number);
        self.options.insert(
            position,
            CoapOption {
                number,
                value: value.into(),
            },
        );
    }

    /// Adds an option whose value is a uint in the fewest bytes (RFC 7252 §3.2).
    pub fn push_uint_option(&mut self, number: u16, value: u32) {
        self.push_option(number, encode_uint(value));
    }

    /// Replaces every option of this number by one.
    pub fn set_option(&mut self, number: u16, value: impl Into<Vec<u8>>) {
        self.remove_option(number);
        self.push_option(number, value);
    }

    /// Replaces every option of this number by one uint.
    pub fn set_uint_option(&mut self, number: u16, value: u32) {
        self.set_option(number, encode_uint(value));
    }

    /// Removes every option of this number.
    pub fn remove_option(&mut self, number: u16) {
        self.options.retain(|option| option.number != number);
    }

    /// This message with one more option: for building messages in one expression.
    #[must_use]
    pub fn with_option(mut self, number: u16, value: impl Into<Vec<u8>>) -> Self {
        self.push_option(number, value);
        self
    }

    /// This message with one more uint option.
    #[must_use]
    pub fn with_uint_option(self, number: u16, value: u32) -> Self {
        self.with_option(number, encode_uint(value))
    }

    /// This message with this payload in place of its own.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }
}

/// A uint option value (RFC 7252 §3.2): big-endian, leading zeros allowed, at most 4 bytes.
pub fn decode_uint(value: &[u8]) -> Option<u32> {
    (value.len() <= 4).then(|| {
        value
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
    })
}

/// A uint option value in the fewest bytes; zero is the empty value (RFC 7252 §3.2).
pub fn encode_uint(value: u32) -> Vec<u8> {
    let leading = value.leading_zeros() as usize / 8;
    value.to_be_bytes()[leading..].to_vec()
}

impl fmt::Debug for CoapOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({} bytes)", self.number, self.value.len())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Message")
            .field("code", &Dotted(self.code))
            .field("options", &self.options)
            .field("payload_length", &self.payload.len())
            .finish()
    }
}

/// Message type (RFC 7252 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// CON: the receiver acknowledges it.
    Confirmable,
    /// NON: never acknowledged.
    NonConfirmable,
    /// ACK: a CON arrived; may carry the response (piggybacked).
    Acknowledgement,
    /// RST: a message arrived that could not be processed.
    Reset,
}

/// A token: 0 to 8 bytes by which a client matches responses to requests (RFC 7252 §5.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Token {
    length: u8,
    bytes: [u8; 8],
}

impl Token {
    /// The token with these bytes; none if there are more than 8.
    pub fn new(token: &[u8]) -> Option<Self> {
        let mut bytes = [0; 8];
        bytes.get_mut(..token.len())?.copy_from_slice(token);
        Some(Self {
            length: token.len() as u8,
            bytes,
        })
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// One datagram of CoAP over UDP (RFC 7252 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// CON, NON, ACK or RST.
    pub message_type: MessageType,
    /// Matches ACK and RST to their message, and identifies duplicates.
    pub message_id: u16,
    /// Matches a response to its request.
    pub token: Token,
    /// The request or response; empty for ACK and RST without one.
    pub message: Message,
}

impl Datagram {
    /// A message of only the header: a ping (CON), an acknowledgement or a reset (RFC 7252 §4.1).
    pub fn empty(message_type: MessageType, message_id: u16) -> Self {
        Self {
            message_type,
            message_id,
            token: Token::default(),
            message: Message::new(code::EMPTY),
        }
    }
}

impl Message {
    /// Seconds that a client may cache this response (RFC 7252 §5.10.5): Max-Age, or 60 if it is absent.
    pub fn max_age(&self) -> u32 {
        self.uint_option(option::MAX_AGE).unwrap_or(60)
    }
}

#[cfg(test)]
mod tests {
    use super::option::{ACCESS_TOKEN, CONTENT_FORMAT, URI_PATH, URI_QUERY};
    use super::*;

    #[test]
    fn options_stay_in_order_however_they_are_added() {
        let message = Message::new(code::GET)
            .with_option(URI_QUERY, "a=1")
            .with_option(URI_PATH, "first")
            .with_uint_option(CONTENT_FORMAT, 60)
            .with_option(URI_PATH, "second");
        let numbers: Vec<u16> = message.options.iter().map(|option| option.number).collect();
        assert_eq!(numbers, [URI_PATH, URI_PATH, CONTENT_FORMAT, URI_QUERY]);
        assert!(
            message
                .options(URI_PATH)
                .eq([b"first".as_slice(), b"second"])
        );
    }

    #[test]
    fn uints_take_the_fewest_bytes_and_leading_zeros_are_read() {
        for (value, length) in [
            (0, 0),
            (1, 1),
            (255, 1),
            (256, 2),
            (65_536, 3),
            (u32::MAX, 4),
        ] {
            assert_eq!(encode_uint(value).len(), length);
            assert_eq!(decode_uint(&encode_uint(value)), Some(value));
        }
        assert_eq!(decode_uint(&[0, 0, 60]), Some(60));
        assert_eq!(decode_uint(&[0, 0, 0, 0, 60]), None);
    }

    #[test]
    fn a_token_holds_at_most_8_bytes() {
        assert_eq!(
            Token::new(b"12345678").map(|token| token.as_bytes().to_vec()),
            Some(b"12345678".to_vec())
        );
        assert_eq!(Token::new(b"123456789"), None);
    }

    #[test]
    fn debug_output_shows_neither_tokens_nor_payloads() {
        let message = Message::new(code::POST)
            .with_option(ACCESS_TOKEN, "secret-token")
            .with_payload("secret-password");
        assert!(!format!("{message:?}").contains("secret"));
        let bytes = format!("{:?}", b"secret-token");
        assert!(!format!("{message:?}").contains(&bytes));
    }
}
