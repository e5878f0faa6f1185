//! Credentials of EDHOC: CWT Claims Sets with a P-256 key (RFC 9528 §3.5.2, RFC 8392, RFC 8747 §3.2).
//!
//! Both sides hash the bytes of both credentials, so the gateway keeps those that the device has, byte by byte.

use std::fmt;

use super::ccs_error::{CcsError, MAX_CCS_BYTES, MAX_KID_BYTES};
use super::claims::{self, CONFIRMATION, CURVE, KEY_TYPE, KID, X, Y};
use super::{curve, diagnostic};
use crate::cbor;
use crate::cbor_reader::Reader;
use crate::hexadecimal;

/// A credential: the exact bytes, and what they say.
#[derive(Clone, PartialEq, Eq)]
pub struct Ccs {
    bytes: Vec<u8>,
    kid: Vec<u8>,
    x: [u8; curve::ELEMENT],
}

/// What an operator enrols.
pub(super) enum Given {
    Ccs(Ccs),
    Key(Key),
}

/// A bare public key.
pub(super) struct Key {
    x: [u8; curve::ELEMENT],
    y: Option<[u8; curve::ELEMENT]>,
}

impl Ccs {
    /// The credential with these bytes, without the header `{14: …}` if they have it.
    ///
    /// # Errors
    /// See [`CcsError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CcsError> {
        let bytes = claims::without_header(bytes);
        if bytes.len() > MAX_CCS_BYTES {
            return Err(CcsError::Long(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let key = claims::read(&mut reader)?.ok_or(CcsError::Form)?;
        if !reader.is_at_end() {
            return Err(CcsError::Form);
        }
        let kid = key
            .kid
            .filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()));
        let kid = kid.ok_or(CcsError::NoKid)?.to_vec();
        let x: [u8; curve::ELEMENT] = key.x.try_into().map_err(|_| CcsError::NotOnCurve)?;
        let is_point = match key.y {
            Some(y) => curve::parse(&[&[4][..], &x, y].concat()).is_some(),
            None => curve::is_on_curve(&x),
        };
        match is_point {
            true => Ok(Self {
                bytes: bytes.to_vec(),
                kid,
                x,
            }),
            false => Err(CcsError::NotOnCurve),
        }
    }

    /// What an operator has given: a CCS in hexadecimal digits or in diagnostic notation (which is encoded as RFC 8949
    /// §4.2.1 says, as devices do), or a public key in hexadecimal digits, from which the gateway makes the CCS with
    /// `kid`. Whether it was made.
    ///
    /// # Errors
    /// See [`CcsError`].
    pub fn enrolled(text: &str, kid: &[u8]) -> Result<(Self, bool), CcsError> {
        match given(text)? {
            Given::Ccs(ccs) => Ok((ccs, false)),
            Given::Key(key) => Ok((Self::of_key(&key, kid), true)),
        }
    }

    /// The credential of a public key.
    pub(super) fn of_key(key: &Key, kid: &[u8]) -> Self {
        let mut bytes = Vec::new();
        cbor::map(&mut bytes, 1);
        cbor::int(&mut bytes, CONFIRMATION as i32);
        cbor::map(&mut bytes, 1);
        cbor::int(&mut bytes, 1);
        cbor::map(&mut bytes, if key.y.is_some() { 5 } else { 4 });
        cbor::int(&mut bytes, KEY_TYPE as i32);
        cbor::int(&mut bytes, 2);
        cbor::int(&mut bytes, KID as i32);
        cbor::bytes(&mut bytes, kid);
        cbor::int(&mut bytes, CURVE as i32);
        cbor::int(&mut bytes, 1);
        for (label, coordinate) in [(X, Some(key.x)), (Y, key.y)] {
            if let Some(coordinate) = coordinate {
                cbor::int(&mut bytes, label as i32);
                cbor::bytes(&mut bytes, &coordinate);
            }
        }
        let (kid, x) = (kid.to_vec(), key.x);
        Self { bytes, kid, x }
    }

    /// Its exact bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names the credential in a handshake. Not secret.
    #[must_use]
    pub fn kid(&self) -> &[u8] {
        &self.kid
    }

    /// The x-coordinate of the key, a point on the curve.
    pub(super) fn x(&self) -> &[u8; curve::ELEMENT] {
        &self.x
    }

    /// In diagnostic notation, for configuration files.
    #[must_use]
    pub fn diagnostic(&self) -> String {
        diagnostic::write(&self.bytes)
    }
}

impl Key {
    pub(super) fn new(x: [u8; curve::ELEMENT], y: Option<[u8; curve::ELEMENT]>) -> Self {
        Self { x, y }
    }
}

impl fmt::Debug for Ccs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ccs({})", self.diagnostic())
    }
}

fn given(text: &str) -> Result<Given, CcsError> {
    let text = text.trim();
    let bytes = match text.starts_with('{') {
        true => diagnostic::read(text).ok_or(CcsError::Text)?,
        false => hexadecimal::bytes(text).ok_or(CcsError::Text)?,
    };
    if let Some((x, y)) = curve::parse(&bytes) {
        return Ok(Given::Key(Key { x, y }));
    }
    match bytes.len() {
        32 | 33 | 65 => Err(CcsError::NotOnCurve),
        _ => Ccs::from_bytes(&bytes).map(Given::Ccs),
    }
}
