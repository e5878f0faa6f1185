//! A delivery as the gateway accepts it.

use std::fmt;

use share::Owner;

/// Digits of the short form: 48 bits, enough that no two records of one gateway have the same.
const SHORT_DIGITS: usize = 12;

/// Identifies a delivery, and is its transaction id at the homeserver: a digest of all that makes two requests the same
/// message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub [u8; 16]);

impl DeliveryId {
    /// The first twelve hexadecimal digits: what a device gets.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(SHORT_DIGITS);
        text
    }

    /// The smallest and the largest id whose text begins with `prefix`: 8 to 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn range(prefix: &str) -> Option<(Self, Self)> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !(8..=32).contains(&prefix.len()) || !prefix.bytes().all(is_digit) {
            return None;
        }
        let bound = |fill: char| {
            let text: String = prefix
                .chars()
                .chain(std::iter::repeat(fill))
                .take(32)
                .collect();
            u128::from_str_radix(&text, 16)
                .map(|number| Self(number.to_be_bytes()))
                .ok()
        };
        bound('0').zip(bound('f'))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a delivery comes from, and where it goes. Digests of 64 bits stand for the names, so that a record takes a
/// fixed number of bytes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whose share it uses.
    pub owner: Owner,
    /// The device: its principal, else its IP address.
    pub device: u64,
    /// The homeserver.
    pub server: u64,
    /// The homeserver and the access token.
    pub account: u64,
    /// The account and the rule's name of the lane.
    pub lane: u64,
}

/// A delivery that the gateway accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: DeliveryId,
    /// Digest of the datagram that it came with: the message layer's identity (RFC 7252 §4.5).
    pub message: [u8; 16],
    /// Digest of the device, the lane and the device's own transaction id.
    pub name: u64,
    /// Where it comes from and goes.
    pub origin: Origin,
    /// Bytes of its record.
    pub bytes: usize,
    /// Unix time of the acceptance; none while the clock was not set.
    pub at: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_all_ids_that_begin_with_it() {
        let id = DeliveryId(*b"0123456789abcdef");
        let (first, last) = DeliveryId::range(&id.short()).unwrap();
        assert!(first <= id && id <= last);
        assert_eq!(
            first.to_string(),
            format!("{}{}", id.short(), "0".repeat(20))
        );
        assert_eq!(
            last.to_string(),
            format!("{}{}", id.short(), "f".repeat(20))
        );
        let whole = DeliveryId::range(&id.to_string());
        assert_eq!(whole, Some((id, id)));
    }

    #[test]
    fn what_is_no_prefix_names_nothing() {
        for text in [
            "",
            "0123456",
            "0123456G",
            "0123456A",
            "+1234567",
            &"0".repeat(33),
        ] {
            assert_eq!(DeliveryId::range(text), None, "{text}");
        }
    }
}
