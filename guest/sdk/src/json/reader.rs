//! JSON text from front to back: the caller looks at the next byte and calls the method for the value that begins
//! there.

use super::cursor::Cursor;
use super::error::{JsonError, wrong};
use super::{number, string};
use crate::text::{concat, decimal};
use crate::value::Value;

/// Arrays and objects within each other that [`Reader::skip`] passes over, a bit each. Synapse itself handles no more.
pub(crate) const MAX_SKIPPED: usize = 1024;

/// A text, how far it has been read, and the bounds that hold for it.
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Arrays and objects that are open, and how many may be.
    open: usize,
    depth: usize,
    /// Bytes of a string, quotes and escapes as written.
    max_string: usize,
    /// The last text with escapes, in memory that is used again.
    unescaped: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8], depth: usize, max_string: usize) -> Reader<'a> {
        Reader {
            cursor: Cursor { input, at: 0 },
            open: 0,
            depth,
            max_string,
            unescaped: Vec::new(),
        }
    }

    /// Bytes that have been read.
    pub(crate) fn position(&self) -> usize {
        self.cursor.at
    }

    /// The first byte of the next token; it is not read yet.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Result<u8, JsonError> {
        self.cursor.peek()
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Ok(_) => wrong(self.cursor.at, "trailing characters"),
            Err(_) => Ok(()),
        }
    }

    /// Enters the array or object that starts here.
    pub(crate) fn open(&mut self) -> Result<(), JsonError> {
        if self.open == self.depth {
            let reason = concat(&["nested deeper than ", &decimal(self.depth), " levels"]);
            return wrong(self.cursor.at, reason);
        }
        self.open += 1;
        self.cursor.at += 1;
        Ok(())
    }

    /// Whether another element or member follows. At `end`, `]` or `}`, the array or object is left.
    pub(crate) fn next(&mut self, end: u8, is_first: bool) -> Result<bool, JsonError> {
        let byte = self.peek()?;
        if byte == end {
            self.cursor.at += 1;
            self.open = self.open.saturating_sub(1);
            return Ok(false);
        }
        if is_first {
            return Ok(true);
        }
        if byte != b',' {
            return wrong(self.cursor.at, "expected a comma, ] or }");
        }
        self.cursor.at += 1;
        match self.peek()? == end {
            true => wrong(self.cursor.at, "trailing comma"),
            false => Ok(true),
        }
    }

    /// The name of a member.
    pub(crate) fn key(&mut self) -> Result<&str, JsonError> {
        match self.peek()? {
            b'"' => self.text(),
            _ => wrong(self.cursor.at, "key must be a string"),
        }
    }

    /// The colon after a member's name.
    pub(crate) fn colon(&mut self) -> Result<(), JsonError> {
        match self.peek()? {
            b':' => {
                self.cursor.at += 1;
                Ok(())
            }
            _ => wrong(self.cursor.at, "expected a colon"),
        }
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<Value, JsonError> {
        let (word, value) = match self.cursor.byte() {
            Some(b't') => ("true", Value::Bool(true)),
            Some(b'f') => ("false", Value::Bool(false)),
            Some(b'n') => ("null", Value::Null),
            _ => return wrong(self.cursor.at, "expected value"),
        };
        for expected in word.bytes() {
            match self.cursor.byte() {
                Some(byte) if byte == expected => self.cursor.at += 1,
                Some(_) => return wrong(self.cursor.at, "expected ident: true, false or null"),
                None => return self.cursor.ended(),
            }
        }
        Ok(value)
    }

    /// A number: an integer of at most 64 bits, or a float.
    pub(crate) fn number(&mut self) -> Result<Value, JsonError> {
        number::number(&mut self.cursor)
    }

    /// A number; of an integer of more than 64 bits the nearest float, and of one beyond all floats infinity.
    pub(crate) fn nearest_number(&mut self) -> Result<Value, JsonError> {
        number::nearest(&mut self.cursor)
    }

    /// A string, without its quotes and escapes.
    pub(crate) fn text(&mut self) -> Result<&str, JsonError> {
        let input = self.cursor.input;
        let start = self.cursor.at + 1;
        let has_escapes = string::skip(&mut self.cursor, self.max_string)?;
        let written = &input[start..self.cursor.at - 1];
        let bytes = match has_escapes {
            true => {
                string::unescape(&mut self.unescaped, start, written)?;
                &self.unescaped
            }
            false => written,
        };
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => wrong(start + error.valid_up_to(), "a string that is not UTF-8"),
        }
    }

    /// Passes over a value of any depth, and checks it.
    pub(crate) fn skip(&mut self) -> Result<(), JsonError> {
        // A bit per open level: whether it is an object.
        let mut objects = [0_u32; MAX_SKIPPED / 32];
        let mut open = 0;
        loop {
            let byte = self.peek()?;
            match byte {
                b'"' => {
                    string::skip(&mut self.cursor, self.max_string)?;
                }
                b'-' | b'0'..=b'9' => {
                    number::skip(&mut self.cursor)?;
                }
                b'[' | b'{' => {
                    self.open()?;
                    let Some(bits) = objects.get_mut(open / 32) else {
                        return wrong(self.cursor.at, "nested too deep to skip");
                    };
                    let bit = 1 << (open % 32);
                    *bits = if byte == b'{' {
                        *bits | bit
                    } else {
                        *bits & !bit
                    };
                    open += 1;
                }
                _ => {
                    self.word()?;
                }
            }
            let mut is_first = matches!(byte, b'[' | b'{');
            // Leaves the arrays and objects that end here.
            loop {
                if open == 0 {
                    return Ok(());
                }
                let level = open - 1;
                let is_object = objects[level / 32] >> (level % 32) & 1 == 1;
                if self.next(if is_object { b'}' } else { b']' }, is_first)? {
                    if is_object {
                        if self.peek()? != b'"' {
                            return wrong(self.cursor.at, "key must be a string");
                        }
                        string::skip(&mut self.cursor, self.max_string)?;
                        self.colon()?;
                    }
                    break;
                }
                is_first = false;
                open = level;
            }
        }
    }
}
