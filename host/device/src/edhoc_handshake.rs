//! The handshake of a device by EDHOC, with separate messages (RFC 9528 Appendix A.2).

use coap::option::{CONTENT_FORMAT, URI_PATH};
use coap::{Message, code};
use secrecy::zeroize::Zeroizing;
use secure::edhoc::{Initiator, Random};
use secure::oscore::{Identifier, Parameters};

use super::edhoc_file::EdhocFile;
use super::no_response::NoResponse;

/// `application/cid-edhoc+cbor-seq` (RFC 9528 §10.12).
const CID_EDHOC: u32 = 65;

/// Before message_1: the CBOR value true, in place of an identifier.
const NO_IDENTIFIER: u8 = 0xf5;

/// Makes a security context, by the requests that `ask` carries to the gateway.
pub(super) fn agree(
    file: &EdhocFile,
    mut ask: impl FnMut(Message) -> Result<Message, NoResponse>,
) -> Result<Parameters, NoResponse> {
    let random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(NoResponse::Random);
    // An identifier of one byte, whose encoding is that byte: 0 to 23.
    let mut c_i = [0];
    random(&mut c_i)?;
    c_i[0] %= 24;
    let c_i = Identifier::new(&c_i).unwrap_or_default();
    let mut ephemeral = Zeroizing::new([0; 32]);
    random(&mut *ephemeral)?;
    let mut once: Random = Box::new(move |bytes| {
        let length = bytes.len().min(ephemeral.len());
        bytes[..length].copy_from_slice(&ephemeral[..length]);
    });
    let (initiator, message_1) = Initiator::begin(c_i, &mut once)?;
    let message_2 = message(ask(post(&[&[NO_IDENTIFIER], &*message_1].concat()))?)?;
    let mut verified = initiator.verify(&file.identity, &file.gateway, &message_2)?;
    let identified = [identifier(verified.c_r), verified.message_3.clone()].concat();
    let message_4 = message(ask(post(&identified))?)?;
    verified.verify_message_4(&message_4)?;
    Ok(verified.parameters)
}

fn post(payload: &[u8]) -> Message {
    Message::new(code::POST)
        .with_option(URI_PATH, ".well-known")
        .with_option(URI_PATH, "edhoc")
        .with_uint_option(CONTENT_FORMAT, CID_EDHOC)
        .with_payload(payload)
}

/// The gateway's message, unless its response is an error.
fn message(response: Message) -> Result<Vec<u8>, NoResponse> {
    match response.code {
        code::CHANGED => Ok(response.payload),
        code => Err(NoResponse::HandshakeRefused { code }),
    }
}

/// An identifier as CBOR (RFC 9528 §3.3.2): one byte that is an integer of one byte stands for itself.
fn identifier(id: Identifier) -> Vec<u8> {
    match id.as_bytes() {
        [byte @ (0..=0x17 | 0x20..=0x37)] => vec![*byte],
        bytes => [&[0x40 | bytes.len() as u8], bytes].concat(),
    }
}
