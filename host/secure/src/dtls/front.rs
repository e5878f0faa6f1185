//! The front: what happens to a ClientHello before its sender has proven its address, and so before any state exists
//! for it (RFC 6347 §4.2.1).

use std::hash::Hash;
use std::time::Instant;

use super::client_hello::{ClientHello, HANDSHAKE_HEADER, HelloError};
use super::cookie::{COOKIE, Cookies, Proof};
use super::method::Method;
use super::record::{self, Alert, DTLS_1_0, DTLS_1_2, HANDSHAKE};
use super::refusal::Refusal;

/// Type of the handshake message HelloVerifyRequest.
const HELLO_VERIFY_REQUEST: u8 = 3;

/// The methods that are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) psk: bool,
    pub(super) certificates: bool,
}

/// What to do with a ClientHello.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// Send the HelloVerifyRequest. `is_forged`: the ClientHello had a cookie, which is not valid.
    Verify { reply: Vec<u8>, is_forged: bool },
    /// Send the alert; the address is proven.
    Refuse(Alert, u64, Refusal),
    /// Begin the handshake; the address is proven.
    Proceed(ClientHello<'a>, Method),
    /// Drop it.
    Drop(HelloError),
}

/// Judges a datagram that begins with a ClientHello.
pub(super) fn judge<'a>(
    now: Instant,
    cookies: &Cookies,
    offered: Offered,
    address: &impl Hash,
    datagram: &'a [u8],
) -> Verdict<'a> {
    let hello = match ClientHello::parse(datagram) {
        Ok(hello) => hello,
        Err(error) => return Verdict::Drop(error),
    };
    let is_forged = match cookies.check(now, address, &hello) {
        Proof::Valid => return proven(hello, offered),
        Proof::Absent => false,
        Proof::Invalid => true,
    };
    let reply = hello_verify_request(&hello, &cookies.make(now, address, &hello));
    // It holds for every ClientHello that parses; checked here again since it is what keeps others from being flooded.
    if reply.len() > datagram.len() {
        return Verdict::Drop(HelloError::Malformed);
    }
    Verdict::Verify { reply, is_forged }
}

fn proven(hello: ClientHello<'_>, offered: Offered) -> Verdict<'_> {
    let refuse = |alert, refusal| Verdict::Refuse(alert, hello.sequence, refusal);
    if hello.version != DTLS_1_2 {
        return refuse(Alert::ProtocolVersion, Refusal::Version);
    }
    // PSK first: it costs both sides a fortieth, and a device that offers it has a key.
    let method = if offered.psk && hello.offers_psk {
        Method::Psk
    } else if offered.certificates && hello.offers_certificates {
        Method::Certificate
    } else {
        return refuse(Alert::HandshakeFailure, Refusal::NoCommonSuite);
    };
    if !hello.offers_extended_master_secret {
        return refuse(Alert::HandshakeFailure, Refusal::NoExtendedMasterSecret);
    }
    Verdict::Proceed(hello, method)
}

/// RFC 6347 §4.2.1: with the number of the ClientHello's record.
fn hello_verify_request(hello: &ClientHello<'_>, cookie: &[u8; COOKIE]) -> Vec<u8> {
    const BODY: u8 = 2 + 1 + COOKIE as u8;
    let mut message = Vec::with_capacity(HANDSHAKE_HEADER + usize::from(BODY));
    message.extend_from_slice(&[HELLO_VERIFY_REQUEST, 0, 0, BODY]);
    message.extend_from_slice(&hello.message_seq.to_be_bytes());
    message.extend_from_slice(&[0, 0, 0, 0, 0, BODY]);
    message.extend_from_slice(&DTLS_1_0);
    message.push(COOKIE as u8);
    message.extend_from_slice(cookie);
    record::plain(HANDSHAKE, hello.sequence, &message)
}
