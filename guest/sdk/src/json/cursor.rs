//! A position in a JSON text.

use super::error::{JsonError, wrong};

/// The text, and how many of its bytes have been read.
pub(super) struct Cursor<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
}

impl Cursor<'_> {
    #[inline(always)]
    pub(super) fn byte(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    pub(super) fn ended<T>(&self) -> Result<T, JsonError> {
        wrong(self.input.len(), "EOF while parsing a value")
    }

    /// The first byte of the next token; it is not read yet.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Result<u8, JsonError> {
        match self.byte() {
            Some(byte) if byte > b' ' => Ok(byte),
            _ => self.peek_after_blanks(),
        }
    }

    fn peek_after_blanks(&mut self) -> Result<u8, JsonError> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte().map_or_else(|| self.ended(), Ok)
    }

    /// Reads this byte if it is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }
}
