//! The trace with static Diffie-Hellman keys (RFC 9529 §3).

use std::time::Instant;

use super::*;
use crate::oscore::{Contexts, Identifier};

pub(crate) const X: &str = "368ec1f69aeb659ba37d5a8d45b21bdc0299dceaa8ef235f3ca42ce3530f9525";
pub(crate) const Y: &str = "e2f4126777205e853b437d6eaca1e1f753cdcc3e2c69fa884b0a1a640977e418";
pub(crate) const G_Y: &str = "419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d5";
pub(crate) const G_XY: &str = "2f0cb7e860ba538fbf5c8bded009f6259b4b628fe1eb7dbe9378e5ecf7a824ba";
const SK_R: &str = "72cc4761dbd4c78f758931aa589d348d1ef874a7e303ede2f140dcf3e6aa4aac";
/// SUITES_I: 6 and 2.
pub(crate) const MESSAGE_1: &str =
    "0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637";
const MESSAGE_2: &str =
    "582b419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d59862a1eef9e0e7e1886fcd";
const MESSAGE_3: &str = "52e562097bc417dd5919485ac7891ffd90a9fc";
const MESSAGE_4: &str = "4828c966b7ca304f83";
pub(crate) const CRED_I: &str = "a2027734322d35302d33312d46462d45462d33372d33322d333908a101a5010202412b2001\
    215820ac75e9ece3e50bfc8ed60399889522405c47bf16df96660a41298cb4307f7eb62258206e5de611388a4b8a8211334ac7d37e\
    cb52a387d257e6db3c2a93df21ff3affc8";
const CRED_R: &str = "a2026b6578616d706c652e65647508a101a501020241322001215820bbc34960526ea4d32e940cad2a234148\
    ddc21791a12afbcbac93622046dd44f02258204519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072";
const MASTER_SECRET: &str = "f9868f6a3aca78a05d1485b35030b162";
const MASTER_SALT: &str = "ada24c7dbfc85eeb";
/// message_1 with the suite that the responder does not have, and its answer: SUITES_R is 2.
const FIRST_MESSAGE_1: &str =
    "03065820741a13d7ba048fbb615e94386aa3b61bea5b3d8f65f32620b749bee8d278efa90e";
const ERROR: &str = "0202";

pub(crate) fn bytes32(text: &str) -> [u8; 32] {
    hex(text).try_into().expect("32 bytes")
}

/// The responder of the trace.
fn responder() -> (Responder, Identity) {
    let device = Ccs::from_bytes(&hex(CRED_I)).expect("a credential");
    let random: Random = Box::new(|bytes| bytes.copy_from_slice(&bytes32(Y)));
    let responder = Responder::new(Arc::new(Enrolled(vec![("42-50", device)])), random);
    let ccs = Ccs::from_bytes(&hex(CRED_R)).expect("a credential");
    (
        responder,
        Identity::with_ccs(&bytes32(SK_R), ccs).expect("its key"),
    )
}

#[test]
fn the_responder_sends_the_messages_of_the_trace_and_derives_its_context() {
    let now = Instant::now();
    let (mut responder, identity) = responder();
    let (c_i, c_r) = (identifier(&[0x37]), identifier(&[0x27]));
    let message_1 = hex(MESSAGE_1);
    let message_2 = responder.begin_as(now, &from(1), &identity, &message_1, (c_i, c_r));
    assert_eq!(message_2, Ok(hex(MESSAGE_2)));
    let (agreed, message_4) = responder
        .finish(now, from(1).host, c_r, &hex(MESSAGE_3))
        .expect("it is authentic");
    assert_eq!(message_4, hex(MESSAGE_4));
    let parameters = &agreed.parameters;
    assert_eq!(parameters.master_secret.expose(), hex(MASTER_SECRET));
    assert_eq!(parameters.master_salt, hex(MASTER_SALT));
    assert_eq!((parameters.sender_id, parameters.recipient_id), (c_i, c_r));
    assert_eq!((&*agreed.principal, agreed.kid()), ("42-50", c_r));
}

#[test]
fn the_first_message_of_the_trace_gets_the_suites_of_the_gateway() {
    let (responder, identity) = responder();
    let mut gateway = Protection::new(Contexts::new(1), responder);
    gateway.set_identity(identity);
    let payload = [&[0xf5][..], &hex(FIRST_MESSAGE_1)].concat();
    let (response, refusal) = handle(&mut gateway, &from(1), &payload);
    assert_eq!(refusal, Some(Refusal::Suite(6)));
    assert_eq!(
        (response.code, response.payload),
        (coap::code::BAD_REQUEST, hex(ERROR))
    );
}

#[test]
fn a_message_of_the_trace_that_is_cut_off_or_changed_is_refused() {
    let now = Instant::now();
    let none = |_: Identifier| false;
    let (mut responder, identity) = responder();
    let message_1 = hex(MESSAGE_1);
    for end in 0..message_1.len() {
        let begun = responder.begin(now, &from(1), &identity, &message_1[..end], none);
        assert!(matches!(begun, responder::Begun::Refused(_)), "{end}");
    }
    assert_eq!(responder.pending(), 0);
    let message_3 = hex(MESSAGE_3);
    let (c_i, c_r) = (identifier(&[0x37]), identifier(&[0x27]));
    for at in 0..message_3.len() {
        let mut changed = message_3.clone();
        changed[at] ^= 1;
        for wrong in [&message_3[..at], &changed] {
            let begun = responder.begin_as(now, &from(1), &identity, &message_1, (c_i, c_r));
            assert_eq!(begun, Ok(hex(MESSAGE_2)));
            let finished = responder.finish(now, from(1).host, c_r, wrong);
            assert!(finished.is_err(), "{wrong:02x?}");
            // One that cannot be read does not end the handshake.
            let _ = responder.finish(now, from(1).host, c_r, &message_3);
            assert_eq!(responder.pending(), 0);
        }
    }
}
