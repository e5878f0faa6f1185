//! Any bytes as a protected request, and any request that a device protects: the first are refused, the second come out
//! as they were.
#![no_main]

use std::time::Instant;

use comatrix_coap::option::{HOP_LIMIT, OSCORE, PROXY_SCHEME, PROXY_URI, URI_HOST, URI_PORT};
use comatrix_coap::{Message, code, decode};
use comatrix_secure::oscore::{Context, Contexts, Identifier, MasterSecret, Parameters};
use libfuzzer_sys::fuzz_target;

/// A gateway and its device.
fn pair() -> Option<(Contexts, Context)> {
    let (sender_id, recipient_id) = (Identifier::new(&[2])?, Identifier::new(&[1])?);
    let gateway = Parameters {
        master_secret: MasterSecret::new(&[7; 16]).ok()?,
        master_salt: Vec::new(),
        sender_id,
        recipient_id,
        id_context: None,
    };
    let mut contexts = Contexts::new(1);
    contexts.add("device".into(), &gateway, 0, None).ok()?;
    while let Some(reservation) = contexts.poll_reservation() {
        contexts.reserved(&reservation);
    }
    let parameters = Parameters {
        sender_id: recipient_id,
        recipient_id: sender_id,
        ..gateway
    };
    let mut device = Context::new(&parameters, 0).ok()?;
    let end = device.poll_reservation()?;
    device.reserved(end);
    Some((contexts, device))
}

/// Options outside that stay, and those that belong to a proxy target.
const OUTSIDE: [u16; 6] = [
    OSCORE,
    HOP_LIMIT,
    URI_HOST,
    URI_PORT,
    PROXY_URI,
    PROXY_SCHEME,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((mut contexts, mut device)) = pair() else {
        return;
    };
    let now = Instant::now();
    let Ok(datagram) = decode(bytes) else {
        // Not even a message: the bytes are an option value and a payload.
        let (value, payload) = bytes.split_at(bytes.len().min(6));
        let mut message = Message::new(code::POST).with_option(OSCORE, value);
        message.payload = payload.to_vec();
        assert!(contexts.unprotect(now, &mut message).is_err());
        return;
    };
    let plain = datagram.message;
    let mut forged = plain.clone();
    let is_protected = plain.option(OSCORE).is_some();
    let accepted = matches!(contexts.unprotect(now, &mut forged), Ok(Some(_)));
    assert!(!accepted, "forged");
    if !code::is_request(plain.code) || is_protected {
        return;
    }
    let mut message = plain.clone();
    if device.protect_request(&mut message).is_err() {
        return;
    }
    assert!(
        message
            .options
            .iter()
            .all(|option| OUTSIDE.contains(&option.number) || option.number == 6)
    );
    if contexts.unprotect(now, &mut message).is_ok() {
        assert_eq!(message, plain);
        assert!(
            contexts
                .unprotect(now, &mut message)
                .is_ok_and(|again| again.is_none())
        );
    }
});
