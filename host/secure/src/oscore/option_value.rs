//! The value of the OSCORE option: the compressed COSE header (RFC 8613 §6.1).

use super::nonce::PartialIv;

/// Length of the Partial IV.
const LENGTH_BITS: u8 = 0b0000_0111;
/// A `kid` follows.
const KID_BIT: u8 = 0b0000_1000;
/// A `kid context` follows.
const KID_CONTEXT_BIT: u8 = 0b0001_0000;
/// Bits of later standards, group OSCORE among them.
const RESERVED_BITS: u8 = 0b1110_0000;

/// A value that is no compressed COSE header, or one with a feature that this implementation does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the OSCORE option has reserved bits, ends early or has bytes too many")]
pub(super) struct MalformedValue;

/// What the option says. All absent: the option is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OptionValue<'a> {
    pub(super) partial_iv: Option<PartialIv>,
    /// At most 255 bytes.
    pub(super) kid_context: Option<&'a [u8]>,
    pub(super) kid: Option<&'a [u8]>,
}

impl<'a> OptionValue<'a> {
    /// Reads a value.
    pub(super) fn decode(value: &'a [u8]) -> Result<Self, MalformedValue> {
        let Some((flags, mut rest)) = value.split_first() else {
            return Ok(Self::default());
        };
        // A header without anything is empty, and has not even the flags (RFC 8613 §6.1).
        if flags & RESERVED_BITS != 0 || *flags == 0 {
            return Err(MalformedValue);
        }
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length).ok_or(MalformedValue)?;
            rest = left;
            Ok(taken)
        };
        let partial_iv = match flags & LENGTH_BITS {
            0 => None,
            length => Some(PartialIv::decode(take(length.into())?).ok_or(MalformedValue)?),
        };
        let kid_context = match flags & KID_CONTEXT_BIT {
            0 => None,
            _ => {
                let length = take(1)?[0];
                Some(take(length.into())?)
            }
        };
        let kid = (flags & KID_BIT != 0).then_some(rest);
        if kid.is_none() && !rest.is_empty() {
            return Err(MalformedValue);
        }
        Ok(Self {
            partial_iv,
            kid_context,
            kid,
        })
    }

    /// Writes the value.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = vec![0];
        if let Some(partial_iv) = self.partial_iv {
            value[0] |= partial_iv.encode(&mut value) as u8;
        }
        if let Some(context) = self.kid_context {
            value[0] |= KID_CONTEXT_BIT;
            value.push(context.len() as u8);
            value.extend_from_slice(context);
        }
        if let Some(kid) = self.kid {
            value[0] |= KID_BIT;
            value.extend_from_slice(kid);
        }
        match value[0] {
            0 => Vec::new(),
            _ => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_section_6_3_are_read_and_written() {
        let iv = |number| PartialIv::new(number);
        let cases: [(&[u8], OptionValue<'_>); 5] = [
            (&[], OptionValue::default()),
            (
                &[0x09, 0x05, 0x25],
                OptionValue {
                    partial_iv: iv(5),
                    kid: Some(&[0x25]),
                    kid_context: None,
                },
            ),
            (
                &[0x09, 0x00],
                OptionValue {
                    partial_iv: iv(0),
                    kid: Some(&[]),
                    kid_context: None,
                },
            ),
            (
                &[
                    0x19, 0x05, 0x08, 0x44, 0x61, 0x6c, 0x65, 0x6b, 0x73, 0x20, 0x34, 0x25,
                ],
                OptionValue {
                    partial_iv: iv(5),
                    kid: Some(&[0x25]),
                    kid_context: Some(&[0x44, 0x61, 0x6c, 0x65, 0x6b, 0x73, 0x20, 0x34]),
                },
            ),
            (
                &[0x01, 0x07],
                OptionValue {
                    partial_iv: iv(7),
                    ..OptionValue::default()
                },
            ),
        ];
        for (bytes, value) in cases {
            assert_eq!(OptionValue::decode(bytes), Ok(value));
            assert_eq!(value.encode(), bytes);
        }
    }

    #[test]
    fn malformed_values_are_refused() {
        let cases: [&[u8]; 11] = [
            &[0x00],                   // empty must be empty
            &[0x20],                   // reserved bits
            &[0x89, 1],                //
            &[0x06, 1, 2, 3, 4, 5, 6], // a Partial IV of 6 bytes
            &[0x07, 1, 2, 3, 4, 5, 6, 7],
            &[0x02, 1],          // cut off
            &[0x0a, 0, 1],       // a leading zero
            &[0x10],             // no length of the kid context
            &[0x11, 1, 3, 1, 2], // kid context cut off
            &[0x01, 1, 9],       // bytes without a kid
            &[0x11, 1, 1, 1, 9],
        ];
        for value in cases {
            assert_eq!(
                OptionValue::decode(value),
                Err(MalformedValue),
                "{value:02x?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_value_is_read_as_it_was_written(
            number in proptest::option::of(0..1u64 << 40),
            kid in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9)),
            context in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=255)),
        ) {
            let value = OptionValue {
                partial_iv: number.and_then(PartialIv::new),
                kid_context: context.as_deref(),
                kid: kid.as_deref(),
            };
            let bytes = value.encode();
            prop_assert_eq!(OptionValue::decode(&bytes), Ok(value));
        }

        #[test]
        fn any_bytes_are_refused_or_have_one_spelling(
            bytes in proptest::collection::vec(any::<u8>(), 0..20)
        ) {
            if let Ok(value) = OptionValue::decode(&bytes) {
                prop_assert_eq!(value.encode(), bytes);
            }
        }
    }
}
