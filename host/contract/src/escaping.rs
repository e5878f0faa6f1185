//! Text from outside, made fit for one line of a log or an error.

use std::fmt::Write as _;

/// Separates lines, changes the direction of text, or shows as nothing: it could make a line look like another.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Text from outside, fit for one log line: control characters and line separators escaped, cut at `max` bytes.
#[must_use]
pub fn escaped(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max) + 4);
    for character in text.chars() {
        let start = line.len();
        if character.is_control() || is_invisible(character) {
            let _ = write!(line, "{}", character.escape_unicode());
        } else {
            line.push(character);
        }
        if line.len() > max {
            line.truncate(start);
            line.push('…');
            break;
        }
    }
    line
}
