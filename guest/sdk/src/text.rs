//! Texts without `fmt`, which would take 7 KB of a component that prints nothing else.

/// Bytes of the longest 64-bit integer.
const MAX_DIGITS: usize = 20;

/// The parts, one after the other.
pub fn concat(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// A number's digits.
pub fn decimal(number: impl TryInto<u64>) -> String {
    let mut digits = Vec::with_capacity(MAX_DIGITS);
    push_decimal(&mut digits, number.try_into().unwrap_or(u64::MAX));
    String::from_utf8(digits).unwrap_or_default()
}

/// Adds a number's digits.
pub(crate) fn push_decimal(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; MAX_DIGITS];
    let mut start = MAX_DIGITS - 1;
    loop {
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
        start -= 1;
    }
    text.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_all_their_digits() {
        for number in [0, 7, 10, 1_700_000_000, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
