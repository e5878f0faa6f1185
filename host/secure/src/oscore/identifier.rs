//! Names of security contexts on the wire: Sender ID and Recipient ID (`kid`), and ID Context (`kid context`).

use std::fmt;

/// Most bytes of a Sender ID or Recipient ID: the length of the nonce less 6 (RFC 8613 §3.3).
pub const MAX_IDENTIFIER_BYTES: usize = 7;

/// Most bytes of an ID Context. The standard allows 255; contexts of Appendix B.2 and of other profiles have 8 to 16.
/// A context must fit into 2 KiB.
pub const MAX_ID_CONTEXT_BYTES: usize = 32;

/// A Sender ID or Recipient ID (RFC 8613 §3.1): 0 to 7 bytes, also called `kid`. Not secret.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    length: u8,
    bytes: [u8; MAX_IDENTIFIER_BYTES],
}

impl Identifier {
    /// The identifier with these bytes; none if there are more than [`MAX_IDENTIFIER_BYTES`].
    #[must_use]
    pub fn new(identifier: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_IDENTIFIER_BYTES];
        bytes
            .get_mut(..identifier.len())?
            .copy_from_slice(identifier);
        Some(Self {
            length: identifier.len() as u8,
            bytes,
        })
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// An ID Context (RFC 8613 §3.1): 0 to [`MAX_ID_CONTEXT_BYTES`] bytes, also called `kid context`. Not secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdContext(Box<[u8]>);

impl IdContext {
    /// The ID Context with these bytes; none if there are more than [`MAX_ID_CONTEXT_BYTES`].
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_ID_CONTEXT_BYTES).then(|| Self(bytes.into()))
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn hexadecimal(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes
        .iter()
        .try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

/// Hexadecimal.
impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(self.as_bytes(), formatter)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identifier({self})")
    }
}

impl fmt::Debug for IdContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdContext(")?;
        hexadecimal(&self.0, formatter)?;
        formatter.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_at_most_7_bytes_and_an_id_context_32() {
        let identifier = Identifier::new(b"kitchen").map(|one| one.to_string());
        assert_eq!(identifier.as_deref(), Some("6b69746368656e"));
        assert_eq!(Identifier::new(b"kitchen1"), None);
        assert!(IdContext::new(&[1; 32]).is_some() && IdContext::new(&[1; 33]).is_none());
    }

    #[test]
    fn the_empty_identifier_and_a_zero_byte_are_two_identifiers() {
        assert_ne!(Identifier::new(&[]), Identifier::new(&[0]));
    }
}
