//! JSON text from front to back: the caller looks at the next byte and calls the method for the value that begins
//! there.

use super::float::float;
use super::{JsonError, special, wrong};
use crate::text::{concat, decimal};
use crate::value::Value;

/// Arrays and objects within each other that [`Reader::skip`] passes over, a bit each. Synapse itself handles no more.
pub(crate) const MAX_SKIPPED: usize = 1024;

/// A position in a text.
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    /// Arrays and objects that are open, and how many may be.
    open: usize,
    depth: usize,
    /// Bytes of a string, quotes and escapes as written.
    max_string: usize,
    /// The last text with escapes, in memory that is used again.
    unescaped: Vec<u8>,
}

/// A number as written.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
    is_integer: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8], depth: usize, max_string: usize) -> Reader<'a> {
        Reader {
            input,
            at: 0,
            open: 0,
            depth,
            max_string,
            unescaped: Vec::new(),
        }
    }

    /// Bytes that have been read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn ended<T>(&self) -> Result<T, JsonError> {
        wrong(self.input.len(), "EOF while parsing a value")
    }

    /// The first byte of the next token; it is not read yet.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Result<u8, JsonError> {
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

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Ok(_) => wrong(self.at, "trailing characters"),
            Err(_) => Ok(()),
        }
    }

    /// Enters the array or object that starts here.
    pub(crate) fn open(&mut self) -> Result<(), JsonError> {
        if self.open == self.depth {
            let reason = concat(&["nested deeper than ", &decimal(self.depth), " levels"]);
            return wrong(self.at, reason);
        }
        self.open += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether another element or member follows. At `end`, `]` or `}`, the array or object is left.
    pub(crate) fn next(&mut self, end: u8, is_first: bool) -> Result<bool, JsonError> {
        let byte = self.peek()?;
        if byte == end {
            self.at += 1;
            self.open = self.open.saturating_sub(1);
            return Ok(false);
        }
        if is_first {
            return Ok(true);
        }
        if byte != b',' {
            return wrong(
                self.at,
                "expected a comma or the end of the array or object",
            );
        }
        self.at += 1;
        match self.peek()? == end {
            true => wrong(self.at, "trailing comma"),
            false => Ok(true),
        }
    }

    /// The name of a member.
    pub(crate) fn key(&mut self) -> Result<&str, JsonError> {
        match self.peek()? {
            b'"' => self.text(),
            _ => wrong(self.at, "key must be a string"),
        }
    }

    /// The colon after a member's name.
    pub(crate) fn colon(&mut self) -> Result<(), JsonError> {
        match self.peek()? {
            b':' => {
                self.at += 1;
                Ok(())
            }
            _ => wrong(self.at, "expected a colon"),
        }
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<Value, JsonError> {
        let (word, value) = match self.byte() {
            Some(b't') => ("true", Value::Bool(true)),
            Some(b'f') => ("false", Value::Bool(false)),
            Some(b'n') => ("null", Value::Null),
            _ => return wrong(self.at, "expected value"),
        };
        for expected in word.bytes() {
            match self.byte() {
                Some(byte) if byte == expected => self.at += 1,
                Some(_) => return wrong(self.at, "expected ident: true, false or null"),
                None => return self.ended(),
            }
        }
        Ok(value)
    }

    /// A number: an integer of at most 64 bits, or a float.
    pub(crate) fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        let digits = self.digits()?;
        if digits.is_integer {
            let magnitude = digits.whole.iter().try_fold(0_u64, |number, digit| {
                number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
            });
            return match (magnitude, digits.negative) {
                (Some(number), false) => Ok(Value::Unsigned(number)),
                (Some(0), true) => Ok(Value::Float(-0.0)),
                (Some(number), true) if number <= 1 << 63 => Ok(Value::Negative(number - 1)),
                _ => wrong(start, "an integer of more than 64 bits"),
            };
        }
        let number = float(digits.whole, digits.fraction, digits.exponent);
        match number.is_finite() {
            true if digits.negative => Ok(Value::Float(-number)),
            true => Ok(Value::Float(number)),
            false => wrong(self.at - 1, "number out of range"),
        }
    }

    /// Reads a number's characters (RFC 8259 §6).
    fn digits(&mut self) -> Result<Digits<'a>, JsonError> {
        let negative = self.take(b'-');
        let whole = self.run()?;
        if whole.len() > 1 && whole.starts_with(b"0") {
            return wrong(self.at - whole.len(), "invalid number: a leading zero");
        }
        let mut digits = Digits {
            negative,
            whole,
            fraction: b"",
            exponent: 0,
            is_integer: true,
        };
        if self.take(b'.') {
            digits.fraction = self.run()?;
            digits.is_integer = false;
        }
        if self.take(b'e') || self.take(b'E') {
            let negative = self.take(b'-');
            if !negative {
                self.take(b'+');
            }
            let exponent = self.run()?.iter().fold(0_i32, |number, digit| {
                number
                    .saturating_mul(10)
                    .saturating_add(i32::from(digit - b'0'))
            });
            digits.exponent = if negative { -exponent } else { exponent };
            digits.is_integer = false;
        }
        Ok(digits)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// One digit or more.
    fn run(&mut self) -> Result<&'a [u8], JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        match (start < self.at, self.byte()) {
            (true, _) => Ok(&self.input[start..self.at]),
            (false, Some(_)) => wrong(self.at, "invalid number: expected a digit"),
            (false, None) => self.ended(),
        }
    }

    /// A string, without its quotes and escapes.
    pub(crate) fn text(&mut self) -> Result<&str, JsonError> {
        let input = self.input;
        let start = self.at + 1;
        let has_escapes = self.skip_string()?;
        let written = &input[start..self.at - 1];
        let bytes = match has_escapes {
            true => {
                self.unescape(start, written)?;
                &self.unescaped
            }
            false => written,
        };
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => wrong(start + error.valid_up_to(), "a string that is not UTF-8"),
        }
    }

    /// Passes over a string, and gives whether it has escapes.
    fn skip_string(&mut self) -> Result<bool, JsonError> {
        let start = self.at;
        let mut has_escapes = false;
        self.at += 1;
        loop {
            // Nearly all bytes of a large response are passed over here.
            let rest = self.input.get(self.at..).unwrap_or_default();
            let plain = special(rest);
            let Some(byte) = rest.get(plain) else {
                return wrong(self.input.len(), "EOF while parsing a string");
            };
            self.at += plain + 1;
            match (*byte, rest.get(plain + 1)) {
                (b'"', _) => break,
                (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u')) => {
                    has_escapes = true;
                    self.at += 1;
                }
                (b'\\', Some(_)) => return wrong(self.at, "invalid escape"),
                (b'\\', None) => return wrong(self.at, "EOF while parsing a string"),
                _ => {
                    let reason = "a control character in a string; write it as \\u00xx";
                    return wrong(self.at - 1, reason);
                }
            }
        }
        match self.at - start > self.max_string {
            true => wrong(
                start,
                concat(&[
                    "a string of more than ",
                    &decimal(self.max_string),
                    " bytes",
                ]),
            ),
            false => Ok(has_escapes),
        }
    }

    /// Fills `unescaped` with the text that `written`, the string's bytes from `start` on, stands for.
    fn unescape(&mut self, start: usize, written: &[u8]) -> Result<(), JsonError> {
        self.unescaped.clear();
        let mut rest = written;
        while let Some(escape) = rest.iter().position(|byte| *byte == b'\\') {
            self.unescaped.extend_from_slice(&rest[..escape]);
            // `skip_string` has checked that a character follows each backslash.
            let kind = rest.get(escape + 1).copied().unwrap_or(b'\\');
            rest = rest.get(escape + 2..).unwrap_or_default();
            let letter = match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => match code_point(&mut rest) {
                    Some(letter) => letter,
                    None => {
                        let at = start + written.len() - rest.len();
                        return wrong(
                            at,
                            "an escape \\u without four digits, or of half a surrogate pair",
                        );
                    }
                },
                other => char::from(other),
            };
            let mut utf8 = [0; 4];
            self.unescaped
                .extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
        }
        self.unescaped.extend_from_slice(rest);
        Ok(())
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
                    self.skip_string()?;
                }
                b'-' | b'0'..=b'9' => {
                    self.digits()?;
                }
                b'[' | b'{' => {
                    self.open()?;
                    let Some(bits) = objects.get_mut(open / 32) else {
                        return wrong(self.at, "nested too deep to skip");
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
                            return wrong(self.at, "key must be a string");
                        }
                        self.skip_string()?;
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

/// The letter of an escape whose `\u` has been read, with its second half if it is a surrogate (RFC 8259 §7).
fn code_point(rest: &mut &[u8]) -> Option<char> {
    let first = hex(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let mut after = rest.strip_prefix(b"\\u")?;
    let second = hex(&mut after).filter(|second| (0xdc00..0xe000).contains(second))?;
    *rest = after;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn hex(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    let number = digits.iter().try_fold(0, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)?)
    })?;
    *rest = after;
    Some(number)
}
