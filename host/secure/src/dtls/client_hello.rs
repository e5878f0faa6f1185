//! A ClientHello of DTLS 1.2 (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1), parsed before any state exists for its sender.

use super::reader::Reader;
use super::record::{self, HANDSHAKE, HEADER};

/// Bytes of a handshake header (RFC 6347 §4.2.2).
pub(super) const HANDSHAKE_HEADER: usize = 12;

/// Type of the handshake message.
pub(super) const CLIENT_HELLO: u8 = 1;

/// TLS_PSK_WITH_AES_128_CCM_8 (RFC 6655 §4).
const PSK_SUITE: u16 = 0xc0a8;

/// ECDHE_ECDSA with AES_128_GCM_SHA256, AES_256_GCM_SHA384 (RFC 5289 §3.2) and CHACHA20_POLY1305_SHA256 (RFC 7905 §2).
const CERTIFICATE_SUITES: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];

/// The extension extended_master_secret (RFC 7627 §5.1).
const EXTENDED_MASTER_SECRET: u16 = 23;

/// Message numbers above it are dropped. A client counts one for each HelloVerifyRequest; it gets more than one only
/// if its cookie expired.
const LARGEST_MESSAGE_SEQ: u16 = 3;

/// Why a datagram that begins with a ClientHello is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HelloError {
    /// Not the whole message in one record: to put fragments together would need state.
    #[error("the ClientHello is fragmented")]
    Fragmented,
    /// No ClientHello by its lengths, or something follows it.
    #[error("the ClientHello is malformed")]
    Malformed,
}

/// What the front and the handshake need of a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientHello<'a> {
    /// Of its record.
    pub(super) sequence: u64,
    /// Of the message: how many HelloVerifyRequests its sender has seen.
    pub(super) message_seq: u16,
    pub(super) version: [u8; 2],
    pub(super) random: [u8; 32],
    pub(super) cookie: &'a [u8],
    /// Whether it offers PSK_AES128_CCM_8.
    pub(super) offers_psk: bool,
    /// Whether it offers a suite with certificates that the library has.
    pub(super) offers_certificates: bool,
    pub(super) offers_extended_master_secret: bool,
    /// Version, random and session id: before the cookie.
    before_cookie: &'a [u8],
    /// Cipher suites and compression methods.
    pub(super) choices: &'a [u8],
    /// After the cookie.
    after_cookie: &'a [u8],
}

/// Whether the datagram begins with a ClientHello, whole or not.
pub(super) fn is_client_hello(first: &record::Record<'_>) -> bool {
    first.content_type == HANDSHAKE
        && first.epoch == 0
        && first.fragment.first() == Some(&CLIENT_HELLO)
}

impl<'a> ClientHello<'a> {
    /// Parses a datagram that holds a ClientHello and nothing else.
    ///
    /// # Errors
    /// [`HelloError`]: the datagram is to be dropped.
    pub(super) fn parse(datagram: &'a [u8]) -> Result<Self, HelloError> {
        let record = record::first(datagram).ok_or(HelloError::Malformed)?;
        if !is_client_hello(&record) || record.bytes.len() != datagram.len() {
            return Err(HelloError::Malformed);
        }
        let mut message = Reader::new(&record.fragment[1..]);
        let header = |message: &mut Reader<'a>| {
            let length = message.u24()?;
            let message_seq = message.u16()?;
            Some((length, message_seq, message.u24()?, message.u24()?))
        };
        let (length, message_seq, offset, fragment) =
            header(&mut message).ok_or(HelloError::Malformed)?;
        if offset != 0 || fragment != length {
            return Err(HelloError::Fragmented);
        }
        if message.rest().len() != length as usize || message_seq > LARGEST_MESSAGE_SEQ {
            return Err(HelloError::Malformed);
        }
        let body = message.rest();
        let hello = Self::parse_body(body).ok_or(HelloError::Malformed)?;
        Ok(Self {
            sequence: record.sequence,
            message_seq,
            ..hello
        })
    }

    fn parse_body(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let version = *reader.bytes(2)?.first_chunk()?;
        let random = *reader.bytes(32)?.first_chunk()?;
        let session_id = reader.vector_u8()?;
        let before_cookie = &body[..body.len() - reader.rest().len()];
        let cookie = reader.vector_u8()?;
        let after_cookie = reader.rest();
        let suites = reader.vector_u16()?;
        let compression = reader.vector_u8()?;
        let choices = &after_cookie[..after_cookie.len() - reader.rest().len()];
        // Without extensions nothing follows, not even their length.
        let extensions = match reader.rest() {
            [] => &[],
            _ => reader.vector_u16()?,
        };
        let is_well_formed = session_id.len() <= 32
            && !suites.is_empty()
            && suites.len().is_multiple_of(2)
            && compression.contains(&0)
            && reader.rest().is_empty();
        let offers = |suite: u16| {
            suites
                .chunks_exact(2)
                .any(|pair| pair == suite.to_be_bytes())
        };
        let offers_extended_master_secret = has_extended_master_secret(extensions)?;
        is_well_formed.then_some(Self {
            sequence: 0,
            message_seq: 0,
            version,
            random,
            cookie,
            offers_psk: offers(PSK_SUITE),
            offers_certificates: CERTIFICATE_SUITES.into_iter().any(offers),
            offers_extended_master_secret,
            before_cookie,
            choices,
            after_cookie,
        })
    }

    /// What the cookie covers beside the address: what RFC 6347 §4.2.1 asks a client to repeat.
    pub(super) fn repeated(&self) -> [&'a [u8]; 2] {
        [self.before_cookie, self.choices]
    }

    /// The same ClientHello as its sender sent it first: without cookie, with this message number.
    pub(super) fn without_cookie(&self, message_seq: u16) -> Vec<u8> {
        let length = self.before_cookie.len() + 1 + self.after_cookie.len();
        let mut message = Vec::with_capacity(HANDSHAKE_HEADER + length);
        // Below 2^16, since it came in one record.
        let length = (length as u32).to_be_bytes();
        message.push(CLIENT_HELLO);
        message.extend_from_slice(&length[1..]);
        message.extend_from_slice(&message_seq.to_be_bytes());
        message.extend_from_slice(&[0; 3]);
        message.extend_from_slice(&length[1..]);
        message.extend_from_slice(self.before_cookie);
        message.push(0);
        message.extend_from_slice(self.after_cookie);
        record::plain(HANDSHAKE, u64::from(message_seq), &message)
    }
}

/// Whether the extension is among them. None if they are malformed.
fn has_extended_master_secret(extensions: &[u8]) -> Option<bool> {
    let mut reader = Reader::new(extensions);
    let mut is_there = false;
    while !reader.rest().is_empty() {
        let kind = reader.u16()?;
        let value = reader.vector_u16()?;
        is_there |= kind == EXTENDED_MASTER_SECRET && value.is_empty();
    }
    Some(is_there)
}

/// The shortest ClientHello, one suite and no extension, is longer than a HelloVerifyRequest with its cookie of 32
/// bytes. So the reply that proves an address never has more bytes than the request.
const _: () = assert!(
    HEADER + HANDSHAKE_HEADER + 2 + 32 + 1 + 1 + 2 + 2 + 1 + 1
        >= HEADER + HANDSHAKE_HEADER + 2 + 1 + 32
);
