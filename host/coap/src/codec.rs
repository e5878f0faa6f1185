//! Bytes to datagrams and back: `coap-lite`'s codec and the checks of RFC 7252 §3 that it leaves out.

use coap_lite::{MessageClass, Packet};

use crate::code;
use crate::message::{CoapOption, Datagram, Message, MessageType, Token};
use crate::option_bounds::{self, OptionExcess};

/// Why bytes are not a CoAP message, with the fields that a RST needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Less than a header: ignored.
    #[error("the datagram has {0} bytes, a CoAP header has 4; it is ignored")]
    TooShort(usize),
    /// Not version 1; ignored silently (RFC 7252 §3).
    #[error("the datagram has CoAP version {0}, only version 1 is supported; it is ignored")]
    UnknownVersion(u8),
    /// A message format error (RFC 7252 §3). A confirmable one gets a RST, others are dropped (§4.2, §4.3).
    #[error("message {message_id} is malformed: {reason}")]
    Malformed {
        /// Type of the message.
        message_type: MessageType,
        /// Its message ID.
        message_id: u16,
        /// The fault.
        reason: FormatError,
    },
    /// More options than this endpoint reads; see [`MAX_OPTIONS`](crate::MAX_OPTIONS) and
    /// [`MAX_OPTION_BYTES`](crate::MAX_OPTION_BYTES). The rest of the message is not read.
    #[error("message {message_id}: {excess}")]
    ExcessiveOptions {
        /// Type of the message.
        message_type: MessageType,
        /// Its message ID.
        message_id: u16,
        /// Its token.
        token: Token,
        /// Its code.
        code: u8,
        /// What is too much.
        excess: OptionExcess,
    },
}

/// The fault of a malformed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Token lengths 9 to 15 are reserved (RFC 7252 §3), and the datagram must hold the whole token.
    #[error("its token length is above 8 or beyond its end")]
    TokenLength,
    /// An option's delta or length is reserved, or its value is cut off (RFC 7252 §3.1).
    #[error("an option's delta or length is reserved or points beyond its end")]
    Option,
    /// A payload marker followed by nothing (RFC 7252 §3).
    #[error("a payload marker is followed by nothing; leave the marker out")]
    EmptyPayload,
    /// An Empty message with bytes after the message ID (RFC 7252 §4.1).
    #[error("its code is 0.00, but bytes follow the message ID")]
    EmptyWithContent,
    /// Code classes 1, 3, 6 and 7 are reserved (RFC 7252 §12.1; 7 is for reliable transports).
    #[error("its code {} is of a reserved class", code::Dotted(*.0))]
    ReservedClass(u8),
}

/// Reads one datagram.
///
/// # Errors
/// See [`DecodeError`]. Never panics.
pub fn decode(bytes: &[u8]) -> Result<Datagram, DecodeError> {
    let [first, code, high, low, ..] = *bytes else {
        return Err(DecodeError::TooShort(bytes.len()));
    };
    if first >> 6 != 1 {
        return Err(DecodeError::UnknownVersion(first >> 6));
    }
    let message_type = match (first >> 4) & 3 {
        0 => MessageType::Confirmable,
        1 => MessageType::NonConfirmable,
        2 => MessageType::Acknowledgement,
        _ => MessageType::Reset,
    };
    let message_id = u16::from_be_bytes([high, low]);
    let malformed = |reason| DecodeError::Malformed {
        message_type,
        message_id,
        reason,
    };

    if code == code::EMPTY {
        let content = bytes.len() > 4 || first & 0x0f != 0;
        return if content {
            Err(malformed(FormatError::EmptyWithContent))
        } else {
            Ok(Datagram::empty(message_type, message_id))
        };
    }
    if !code::is_request(code) && !code::is_response(code) {
        return Err(malformed(FormatError::ReservedClass(code)));
    }
    let token = bytes
        .get(4..4 + usize::from(first & 0x0f))
        .and_then(Token::new);
    let token = token.ok_or_else(|| malformed(FormatError::TokenLength))?;
    // Before the first copy: coap-lite allocates for each option.
    let options = bytes.get(4 + token.as_bytes().len()..).unwrap_or_default();
    option_bounds::check(options).map_err(|excess| DecodeError::ExcessiveOptions {
        message_type,
        message_id,
        token,
        code,
        excess,
    })?;
    let mut packet = Packet::from_bytes(bytes).map_err(|_| malformed(FormatError::Option))?;
    let mut options = Vec::with_capacity(packet.options().map(|(_, values)| values.len()).sum());
    for (number, values) in packet.options() {
        options.extend(values.iter().map(|value| CoapOption {
            number: *number,
            value: value.clone(),
        }));
    }
    // Without payload, every byte belongs to header, token or options; one more is a marker without payload.
    if packet.payload.is_empty()
        && bytes.len() != 4 + token.as_bytes().len() + encoded_length(&options)
    {
        return Err(malformed(FormatError::EmptyPayload));
    }
    let payload = std::mem::take(&mut packet.payload);
    Ok(Datagram {
        message_type,
        message_id,
        token,
        message: Message {
            code,
            options,
            payload,
        },
    })
}

/// Writes one datagram. The options may be in any order; an Empty message is the header alone.
///
/// An option value above 65,535 bytes cannot be written and is left out.
pub fn encode(datagram: &Datagram) -> Vec<u8> {
    let message = &datagram.message;
    let mut packet = Packet::new();
    packet.header.set_type(match datagram.message_type {
        MessageType::Confirmable => coap_lite::MessageType::Confirmable,
        MessageType::NonConfirmable => coap_lite::MessageType::NonConfirmable,
        MessageType::Acknowledgement => coap_lite::MessageType::Acknowledgement,
        MessageType::Reset => coap_lite::MessageType::Reset,
    });
    packet.header.code = MessageClass::from(message.code);
    packet.header.message_id = datagram.message_id;
    if message.code != code::EMPTY {
        packet.set_token(datagram.token.as_bytes().to_vec());
        for option in message
            .options
            .iter()
            .filter(|option| option.value.len() <= MAX_OPTION_LENGTH)
        {
            packet.add_option(option.number.into(), option.value.clone());
        }
    }
    // Appended here and not by coap-lite, which would clone the payload once more.
    let mut bytes = packet.to_bytes_unlimited().unwrap_or_default();
    if message.code != code::EMPTY && !message.payload.is_empty() {
        bytes.reserve_exact(1 + message.payload.len());
        bytes.push(PAYLOAD_MARKER);
        bytes.extend_from_slice(&message.payload);
    }
    bytes
}

/// The longest option value of the format (RFC 7252 §3.1), less the 269 bytes that `coap-lite` cannot read back. A UDP
/// datagram has at most 65,535 bytes.
const MAX_OPTION_LENGTH: usize = 65_535;

const PAYLOAD_MARKER: u8 = 0xff;

/// Bytes that these options take in a message. They must be in ascending order.
pub(super) fn encoded_length(options: &[CoapOption]) -> usize {
    let extension = |value: usize| match value {
        0..13 => 0,
        13..269 => 1,
        _ => 2,
    };
    let mut previous = 0;
    let mut length = 0;
    for option in options {
        let delta = usize::from(option.number.saturating_sub(previous));
        length += 1 + extension(delta) + extension(option.value.len()) + option.value.len();
        previous = option.number;
    }
    length
}
