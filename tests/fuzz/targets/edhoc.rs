//! Any bytes as message_1, as message_3 of a handshake in progress, as what is inside message_3, as the payload of a
//! combined request, and as a credential. Nothing may panic, and nothing may be agreed on without the device's key.
#![no_main]

use std::sync::Arc;
use std::time::Instant;

use comatrix_coap::option::{EDHOC, OSCORE};
use comatrix_coap::{Host, Message, MessageProtection, code};
use comatrix_secure::edhoc::{
    Ccs, Credentials, From, Handled, Identity, Initiator, Protection, Random, Responder,
};
use comatrix_secure::oscore::{Contexts, Identifier};
use comatrix_share::Owner;
use libfuzzer_sys::fuzz_target;

const PEER: &str = "192.0.2.1:5683";

/// The one device.
struct Device(Ccs);

impl Credentials for Device {
    fn by_kid(&self, kid: &[u8]) -> Option<(Arc<str>, Ccs)> {
        (self.0.kid() == kid).then(|| ("device".into(), self.0.clone()))
    }
}

/// The same bytes in each run.
fn random(seed: u8) -> Random {
    let mut next = seed;
    Box::new(move |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(5).wrapping_add(3);
            *byte = next;
        }
    })
}

fn gateway() -> Option<(Protection, Ccs)> {
    let device = Identity::new(&[5; 32], &[1]).ok()?;
    let own = Identity::new(&[3; 32], &[0]).ok()?;
    let ccs = own.ccs().clone();
    let responder = Responder::new(Arc::new(Device(device.ccs().clone())), random(1));
    let mut protection = Protection::new(Contexts::new(1), responder);
    protection.set_identity(own);
    Some((protection, ccs))
}

fn sender() -> Option<From> {
    Some(From {
        owner: Owner::new(1, None),
        host: Some(Host::from(PEER.parse::<std::net::SocketAddr>().ok()?)),
        is_proven: true,
    })
}

fn handle(gateway: &mut Protection, payload: &[u8]) -> Option<Message> {
    let request = Message::new(code::POST).with_payload(payload);
    match gateway.handle(Instant::now(), &sender()?, &request)? {
        Handled::Response(response, _) => Some(response),
        Handled::NeedsProof => panic!("the address is proven"),
    }
}

/// Runs an input against a handshake of somebody who is not enrolled.
fn attack(kind: u8, bytes: &[u8]) -> Option<()> {
    let (mut gateway, ccs) = gateway()?;
    if kind == 0 {
        handle(&mut gateway, bytes)?;
        handle(&mut gateway, &[&[0xf5][..], bytes].concat())?;
        return None;
    }
    let stranger = Identity::new(&[6; 32], &[1]).ok()?;
    let (initiator, message_1) = Initiator::begin(Identifier::new(&[7])?, &mut random(9)).ok()?;
    let response = handle(&mut gateway, &[&[0xf5][..], &message_1].concat())?;
    let verified = initiator.verify(&stranger, &ccs, &response.payload).ok()?;
    let c_r = verified.c_r.as_bytes();
    let with_c_r = |message_3: &[u8]| {
        let mut payload = vec![0x40 | c_r.len() as u8];
        payload.extend_from_slice(c_r);
        payload.extend_from_slice(message_3);
        payload
    };
    match kind {
        1 => drop(handle(&mut gateway, &with_c_r(bytes))),
        2 => {
            let message_3 = verified.forge(bytes.get(..190).unwrap_or(bytes));
            handle(&mut gateway, &with_c_r(&message_3));
        }
        _ => {
            let option = [&[9, 0][..], c_r].concat();
            let mut request = Message::new(code::POST)
                .with_option(OSCORE, option)
                .with_option(EDHOC, [])
                .with_payload(bytes);
            let peer: std::net::SocketAddr = PEER.parse().ok()?;
            let unprotected = gateway.unprotect(Instant::now(), &peer, &mut request);
            assert!(unprotected.is_err(), "nobody has the key");
        }
    }
    assert!(gateway.poll_agreed().is_none() && gateway.contexts.is_empty());
    Some(())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 6 {
        kind @ 0..4 => drop(attack(kind, bytes)),
        4 => {
            let text = String::from_utf8_lossy(bytes);
            if let Ok((ccs, _)) = Ccs::enrolled(&text, &[1]) {
                assert_eq!(
                    Ccs::enrolled(&ccs.diagnostic(), &[1]).map(|(same, _)| same.kid().to_vec()),
                    Ok(ccs.kid().to_vec())
                );
            }
        }
        _ => {
            if let Ok(ccs) = Ccs::from_bytes(bytes) {
                assert_eq!(Ccs::from_bytes(ccs.as_bytes()), Ok(ccs));
            }
        }
    }
});
