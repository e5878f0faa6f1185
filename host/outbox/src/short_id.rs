//! Ids of deliveries as devices write them: short, because each byte costs a device energy.

use contract::DeliveryId;

/// Digits of the short form: 48 bits, enough that no two records of one gateway have the same.
const SHORT_DIGITS: usize = 12;
/// Digits of an id.
const DIGITS: usize = 32;
/// Fewer digits could name several records.
const FEWEST_DIGITS: usize = 8;

/// The first twelve hexadecimal digits of an id: what a device gets.
#[must_use]
pub fn short_id(id: DeliveryId) -> String {
    let mut text = id.to_string();
    text.truncate(SHORT_DIGITS);
    text
}

/// The smallest and the largest id whose text begins with `prefix`: 8 to 32 hexadecimal digits in lower case.
pub(crate) fn range(prefix: &str) -> Option<(DeliveryId, DeliveryId)> {
    if !(FEWEST_DIGITS..=DIGITS).contains(&prefix.len()) || !prefix.is_ascii() {
        return None;
    }
    let filled = |fill: &str| {
        let rest = fill.repeat(DIGITS - prefix.len());
        DeliveryId::from_hex(&format!("{prefix}{rest}"))
    };
    filled("0").zip(filled("f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_all_ids_that_begin_with_it() {
        let id = DeliveryId::from_bytes(*b"0123456789abcdef");
        let short = short_id(id);
        let (first, last) = range(&short).unwrap();
        assert!(first <= id && id <= last);
        assert_eq!(first.to_string(), format!("{short}{}", "0".repeat(20)));
        assert_eq!(last.to_string(), format!("{short}{}", "f".repeat(20)));
        assert_eq!(range(&id.to_string()), Some((id, id)));
    }

    #[test]
    fn what_is_no_prefix_names_nothing() {
        let long = "0".repeat(33);
        for text in [
            "", "0123456", "0123456G", "0123456A", "+1234567", "012345é", &long,
        ] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
