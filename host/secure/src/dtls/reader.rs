//! Reads the presentation language of TLS (RFC 5246 §4): integers and vectors with a length before them.

/// What is left of a message.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let bytes = self.bytes(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u24(&mut self) -> Option<u32> {
        let bytes = self.bytes(3)?;
        Some(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
    }

    /// A vector of at most 255 bytes.
    pub(super) fn vector_u8(&mut self) -> Option<&'a [u8]> {
        let length = self.bytes(1)?[0];
        self.bytes(length.into())
    }

    /// A vector of at most 65,535 bytes.
    pub(super) fn vector_u16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.bytes(length.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_that_is_longer_than_the_rest_is_none_and_takes_nothing() {
        let mut reader = Reader::new(&[0, 3, 1, 2, 3, 2, 9]);
        assert_eq!(reader.vector_u16(), Some([1, 2, 3].as_slice()));
        assert_eq!(reader.bytes(3), None);
        assert_eq!(reader.rest(), [2, 9]);
        assert_eq!(reader.vector_u8(), None);
    }

    #[test]
    fn integers_have_their_most_significant_byte_first() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5]);
        assert_eq!(
            (reader.u16(), reader.u24()),
            (Some(0x0102), Some(0x0003_0405))
        );
        assert_eq!(reader.u16(), None);
    }
}
