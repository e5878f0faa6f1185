//! The nonces of all protected datagrams that have left a gateway (RFC 8613 §5.2).

use std::collections::HashMap;

use coap::{Message, option};

/// What a gateway made a nonce of. Its Sender Key is that of one device, and so is this record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nonce {
    /// Its Sender ID and this sequence number.
    Own(u64),
    /// The device's identifier, and the Partial IV of its request.
    OfRequest(u64),
}

/// The Partial IV in the OSCORE option of a message (RFC 8613 §6.1); none if there is none, or no such option.
pub fn partial_iv(message: &Message) -> Option<u64> {
    let (flags, rest) = message.option(option::OSCORE)?.split_first()?;
    let iv = &rest[..usize::from(flags & 7)];
    let number = |iv: &[u8]| iv.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    (!iv.is_empty()).then(|| number(iv))
}

/// Those of one device's context.
#[derive(Debug, Default)]
pub struct Nonces {
    /// With the ciphertext and the tag: the tag also covers the request that is answered.
    seen: HashMap<Nonce, Vec<u8>>,
    /// Nonces that came with two ciphertexts.
    pub reused: Vec<Nonce>,
}

impl Nonces {
    /// Takes a datagram that came from the gateway, in response to the request with this Partial IV. A datagram that is
    /// sent again is the same.
    pub fn add(&mut self, message: &Message, request: u64) {
        let nonce = match partial_iv(message) {
            Some(number) => Nonce::Own(number),
            None => Nonce::OfRequest(request),
        };
        let payload = message.payload.clone();
        let first = self.seen.entry(nonce).or_insert_with(|| payload.clone());
        if *first != payload {
            self.reused.push(nonce);
        }
    }

    /// How many were the gateway's own numbers, and how many those of requests.
    pub fn count(&self) -> [usize; 2] {
        let is_own = |nonce: &&Nonce| matches!(nonce, Nonce::Own(_));
        let own = self.seen.keys().filter(is_own).count();
        [own, self.seen.len() - own]
    }
}

#[test]
fn a_nonce_with_another_ciphertext_is_noticed_and_a_repeated_datagram_is_not() {
    let message = |option: &[u8], payload: &str| {
        Message::new(coap::code::CHANGED)
            .with_option(option::OSCORE, option)
            .with_payload(payload)
    };
    let mut nonces = Nonces::default();
    for (option, payload, request) in [
        (&[][..], "a", 7),
        (&[], "a", 7),
        (&[], "b", 8),
        (&[1, 7], "c", 7),
        (&[2, 1, 7], "d", 7),
    ] {
        nonces.add(&message(option, payload), request);
    }
    assert!(nonces.reused.is_empty() && nonces.count() == [2, 2]);
    nonces.add(&message(&[], "c"), 8);
    nonces.add(&message(&[2, 1, 7], "e"), 9);
    assert_eq!(nonces.reused, [Nonce::OfRequest(8), Nonce::Own(0x107)]);
}
