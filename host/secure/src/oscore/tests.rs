//! Tests of the whole module.

mod derivation_vectors;

use super::*;

/// Bytes from hexadecimal digits.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn identifier(text: &str) -> Identifier {
    Identifier::new(&hex(text)).expect("an identifier")
}
