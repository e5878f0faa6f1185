//! Tests of the whole module.

mod combined;
mod credentials;
mod device;
mod endpoint;
mod handshakes;
mod hostile;
mod renewals;
mod rooms;
pub(super) mod trace;

use std::sync::Arc;
use std::time::Instant;

use coap::Message;
use share::Owner;

use super::*;
use crate::oscore::{Contexts, Identifier};

/// Bytes from hexadecimal digits.
pub(super) fn hex(text: &str) -> Vec<u8> {
    crate::hexadecimal::bytes(text).expect("hexadecimal digits")
}

/// Random bytes that repeat with each run.
fn random(seed: u8) -> Random {
    use sha2::{Digest, Sha256};
    let mut state = [seed; 32];
    Box::new(move |bytes| {
        for chunk in bytes.chunks_mut(32) {
            state = Sha256::digest(state).into();
            chunk.copy_from_slice(&state[..chunk.len()]);
        }
    })
}

fn identifier(bytes: &[u8]) -> Identifier {
    Identifier::new(bytes).expect("it is short")
}

/// Enrolled devices.
struct Enrolled(Vec<(&'static str, Ccs)>);

impl Credentials for Enrolled {
    fn by_kid(&self, kid: &[u8]) -> Option<(Arc<str>, Ccs)> {
        let found = self.0.iter().find(|(_, ccs)| ccs.kid() == kid);
        found.map(|(name, ccs)| ((*name).into(), ccs.clone()))
    }
}

fn gateway_identity() -> Identity {
    Identity::new(&[3; 32], &[0]).expect("a key")
}

fn device_identity() -> Identity {
    Identity::new(&[5; 32], &[1]).expect("a key")
}

/// A gateway at which these devices are enrolled.
fn gateway_of(devices: Vec<(&'static str, Ccs)>) -> Protection {
    let responder = Responder::new(Arc::new(Enrolled(devices)), random(1));
    let mut protection = Protection::new(Contexts::new(100), responder);
    protection.set_identity(gateway_identity());
    protection
}

fn gateway() -> Protection {
    gateway_of(vec![("kitchen", device_identity().ccs().clone())])
}

/// A proven sender, by number.
fn from(host: u8) -> From {
    From {
        owner: Owner::new(host.into(), None),
        host: Some(std::net::SocketAddr::from(([192, 0, 2, host], 5683)).into()),
        is_proven: true,
    }
}

/// A request to the resource.
fn post(payload: &[u8]) -> Message {
    Message::new(coap::code::POST).with_payload(payload)
}

/// The response of the resource, and why the request was refused.
fn handle(gateway: &mut Protection, from: &From, payload: &[u8]) -> (Message, Option<Refusal>) {
    match gateway.handle(Instant::now(), from, &post(payload)) {
        Some(Handled::Response(response, refusal)) => (response, refusal),
        other => panic!("{other:?}"),
    }
}
