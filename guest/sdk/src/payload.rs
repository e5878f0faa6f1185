//! Payloads by Content-Format.

use std::fmt;

use crate::cbor::{self, CborError};
use crate::json::{self, JsonError};
use crate::text::{concat, decimal};
use crate::value::Value;

/// Content-Format 0: `text/plain;charset=utf-8` (RFC 7252 §12.3).
pub const TEXT_PLAIN: u16 = 0;

/// A Content-Format (RFC 7252 §12.3) that carries [`Value`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 60, `application/cbor`.
    Cbor,
    /// 50, `application/json`.
    Json,
    /// 0, `text/plain`: the bytes of a text.
    Text,
}

/// Why a payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadError {
    /// It is no acceptable CBOR.
    Cbor(CborError),
    /// It is no acceptable JSON.
    Json(JsonError),
    /// It is no UTF-8 after this many bytes.
    Text(usize),
}

impl PayloadError {
    /// As a diagnostic: `CBOR at byte 7: …`.
    pub fn diagnostic(&self) -> String {
        match self {
            PayloadError::Cbor(error) => error.diagnostic(),
            PayloadError::Json(error) => error.diagnostic(),
            PayloadError::Text(at) => concat(&["text at byte ", &decimal(*at), ": not UTF-8"]),
        }
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.diagnostic())
    }
}

impl std::error::Error for PayloadError {}

impl Format {
    /// The format with this number, if it is one of the three.
    pub fn from_number(number: u32) -> Option<Format> {
        match number {
            60 => Some(Format::Cbor),
            50 => Some(Format::Json),
            0 => Some(Format::Text),
            _ => None,
        }
    }

    /// Its number in the registry "CoAP Content-Formats".
    pub fn number(self) -> u16 {
        match self {
            Format::Cbor => 60,
            Format::Json => 50,
            Format::Text => TEXT_PLAIN,
        }
    }

    /// Reads exactly one value; [`cbor::decode`] and [`json::decode`] list the values that are refused.
    pub fn decode(self, payload: &[u8]) -> Result<Value, PayloadError> {
        match self {
            Format::Cbor => cbor::decode(payload).map_err(PayloadError::Cbor),
            Format::Json => json::decode(payload).map_err(PayloadError::Json),
            Format::Text => match str::from_utf8(payload) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(error) => Err(PayloadError::Text(error.valid_up_to())),
            },
        }
    }

    /// Writes a value in its shortest form. As text, a text is written as it is, and any other value as JSON.
    pub fn encode(self, value: &Value) -> Vec<u8> {
        match (self, value) {
            (Format::Cbor, value) => cbor::encode(value),
            (Format::Text, Value::Text(text)) => text.clone().into_bytes(),
            (Format::Json | Format::Text, value) => json::encode(value),
        }
    }

    /// This format, or JSON in place of text, for values that are maps.
    pub fn of_maps(self) -> Format {
        match self {
            Format::Text => Format::Json,
            format => format,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::any_value;

    proptest! {
        #[test]
        fn every_json_value_goes_to_cbor_and_back_without_loss(value in any_value(u64::MAX)) {
            let text = json::encode(&value);
            let through = cbor::decode(&cbor::encode(&json::decode(&text)?))?;
            prop_assert_eq!(&through, &value);
            prop_assert_eq!(json::encode(&through), text);
        }

        #[test]
        fn every_cbor_value_with_a_json_form_goes_to_json_and_back_without_loss(value in any_value(u64::MAX)) {
            let bytes = cbor::encode(&value);
            let through = json::decode(&json::encode(&cbor::decode(&bytes)?))?;
            prop_assert_eq!(cbor::encode(&through), bytes);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for format in [Format::Cbor, Format::Json] {
                if let Ok(value) = format.decode(&bytes) {
                    prop_assert_eq!(format.decode(&format.encode(&value)), Ok(value));
                }
            }
        }

        #[test]
        fn no_damaged_payload_panics(value in any_value(u64::MAX), at in any::<prop::sample::Index>(), byte: u8) {
            for format in [Format::Cbor, Format::Json] {
                let mut bytes = format.encode(&value);
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let _ = format.decode(&bytes);
                let _ = format.decode(&bytes[..at]);
            }
        }
    }
}
