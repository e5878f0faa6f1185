//! Tests of the whole module.

mod any_input;
mod client_exchanges;
mod derivation_vectors;
mod endpoint;
mod exchanges;
mod message_vectors;
mod observing;
mod outer_options;
mod pair;
mod recovery;
mod refused;
pub(crate) mod simulation;
mod usage;

use std::time::Instant;

use coap::{Message, Reply};

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

/// Stores all reservations of a table.
fn store(contexts: &mut Contexts) {
    while let Some(reservation) = contexts.poll_reservation() {
        contexts.reserved(&reservation);
    }
}

/// The parameters of a device: those of the gateway with the identifiers exchanged.
fn mirrored(parameters: &Parameters) -> Parameters {
    Parameters {
        sender_id: parameters.recipient_id,
        recipient_id: parameters.sender_id,
        ..parameters.clone()
    }
}
