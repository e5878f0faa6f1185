//! RFC 8613 Appendix C.4 to C.8: protected requests and responses, byte by byte.

use coap::{Datagram, decode, encode};

use super::super::context::RequestId;
use super::super::nonce::{PartialIv, additional_data, nonce};
use super::super::plaintext;
use super::derivation_vectors::{ID_CONTEXT, SALT, parameters};
use super::*;

/// The sequence number of all requests.
const NUMBER: u64 = 20;

/// A vector of a request.
struct Request {
    parameters: Parameters,
    unprotected: &'static str,
    data: &'static str,
    nonce: &'static str,
    protected: &'static str,
}

/// The context of a client whose next number is 20.
fn client(parameters: &Parameters) -> Context {
    let mut client = Context::new(parameters, NUMBER).expect("valid parameters");
    let end = client.poll_reservation().expect("a reservation");
    client.reserved(end);
    client
}

/// The table of a server that has only the context of this client.
fn server(client: &Parameters) -> Contexts {
    let mut contexts = Contexts::new(1);
    let added = contexts.add("kitchen".into(), &mirrored(client), 0, None);
    added.expect("valid parameters");
    store(&mut contexts);
    contexts
}

/// The message of a datagram, in the datagram.
fn replaced(datagram: &Datagram, message: Message) -> Vec<u8> {
    encode(&Datagram {
        message,
        ..datagram.clone()
    })
}

fn check(vector: &Request) -> (Contexts, Verified) {
    let unprotected = decode(&hex(vector.unprotected)).expect("a message");
    let mut client = client(&vector.parameters);
    let keys = &client.keys;
    let iv = PartialIv::new(NUMBER).expect("a number");
    assert_eq!(additional_data(keys.sender_id, iv), hex(vector.data));
    assert_eq!(
        nonce(&keys.common_iv, keys.sender_id, iv)[..],
        hex(vector.nonce)
    );

    let mut message = unprotected.message.clone();
    client.protect_request(&mut message).expect("protected");
    assert_eq!(
        replaced(&unprotected, message.clone()),
        hex(vector.protected)
    );

    let mut contexts = server(&vector.parameters);
    let verified = contexts.unprotect(Instant::now(), &mut message);
    let verified = verified.expect("authentic").expect("protected");
    assert_eq!(replaced(&unprotected, message), hex(vector.unprotected));
    assert_eq!(&*verified.principal, "kitchen");
    (contexts, verified)
}

fn c_4() -> Request {
    Request {
        parameters: parameters(SALT, "", "01", None),
        unprotected: "44015d1f00003974396c6f63616c686f737483747631",
        data: "8368456e63727970743040488501810a40411440",
        nonce: "4622d4dd6d944168eefb549868",
        protected: "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
    }
}

#[test]
fn c_4_a_request_is_protected_with_an_empty_kid() {
    check(&c_4());
    let plain = decode(&hex(c_4().unprotected)).expect("a message").message;
    let mut inner = plain.clone();
    class::take_outer(&mut inner);
    assert_eq!(plaintext::write(inner), hex("01b3747631"));
}

#[test]
fn c_5_a_request_is_protected_without_a_master_salt() {
    check(&Request {
        parameters: parameters("", "00", "01", None),
        unprotected: "440171c30000b932396c6f63616c686f737483747631",
        data: "8368456e63727970743040498501810a4100411440",
        nonce: "bf35ae297d2dace910c52e99ed",
        protected: "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0",
    });
}

#[test]
fn c_6_a_request_is_protected_with_an_id_context() {
    check(&Request {
        parameters: parameters(SALT, "", "01", Some(ID_CONTEXT)),
        unprotected: "44012f8eef9bbf7a396c6f63616c686f737483747631",
        data: "8368456e63727970743040488501810a40411440",
        nonce: "2ca58fb85ff1b81c0b7181b84a",
        protected: "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3",
    });
}

const RESPONSE: &str = "64455d1f00003974ff48656c6c6f20576f726c6421";

/// Protects the response, and has it verified by the client that sent C.4.
fn check_response(contexts: &mut Contexts, verified: &Verified, protected: &str) {
    let plain = decode(&hex(RESPONSE)).expect("a message");
    let mut message = plain.message.clone();
    let result = contexts.protect(Instant::now(), verified, Reply::Response, &mut message);
    result.expect("protected");
    assert_eq!(replaced(&plain, message.clone()), hex(protected));

    let mut client = client(&c_4().parameters);
    let mut request = decode(&hex(c_4().unprotected)).expect("a message").message;
    let mut sent = client.protect_request(&mut request).expect("protected");
    let result = client.unprotect_response(&mut sent, &mut message);
    assert_eq!((result, message), (Ok(()), plain.message));
}

#[test]
fn c_7_the_first_response_has_the_nonce_of_its_request() {
    let (mut contexts, verified) = check(&c_4());
    let protected = "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106";
    check_response(&mut contexts, &verified, protected);
}

#[test]
fn c_8_another_response_has_a_partial_iv() {
    let (mut contexts, verified) = check(&c_4());
    contexts
        .protect(
            Instant::now(),
            &verified,
            Reply::Response,
            &mut Message::new(coap::code::CONTENT),
        )
        .expect("protected");
    let protected = "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e";
    check_response(&mut contexts, &verified, protected);
}

#[test]
fn the_additional_data_of_section_5_4_are_made() {
    let request = RequestId {
        kid: identifier("00"),
        iv: PartialIv::new(0x25).expect("a number"),
    };
    let expected = "8368456e63727970743040498501810a4100412540";
    assert_eq!(additional_data(request.kid, request.iv), hex(expected));
}
