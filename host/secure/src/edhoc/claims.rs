//! The claims of a credential (RFC 8392 §3), and the COSE_Key in them (RFC 9052 §7).

use super::ccs_error::CcsError;
use crate::cbor_reader::Reader;

/// The COSE header of a CCS (RFC 9528 §10.6), with which aiocoap prints credentials.
const KCCS: i64 = 14;
/// Claims: subject and confirmation.
const SUBJECT: i64 = 2;
pub(super) const CONFIRMATION: i64 = 8;
/// Parameters of a COSE_Key (RFC 9052 §7.1, RFC 9053 §7.1).
pub(super) const KEY_TYPE: i64 = 1;
pub(super) const KID: i64 = 2;
pub(super) const CURVE: i64 = -1;
pub(super) const X: i64 = -2;
pub(super) const Y: i64 = -3;
const PRIVATE: i64 = -4;

/// A COSE_Key as it is written.
#[derive(Default)]
pub(super) struct CoseKey<'a> {
    pub(super) kid: Option<&'a [u8]>,
    pub(super) x: &'a [u8],
    pub(super) y: Option<&'a [u8]>,
}

/// A CCS without the header that names it as one.
pub(super) fn without_header(bytes: &[u8]) -> &[u8] {
    let mut reader = Reader::new(bytes);
    match (reader.map(), reader.int()) {
        (Some(1), Some(KCCS)) => reader.rest(),
        _ => bytes,
    }
}

/// The key in a claims set; none if it has no confirmation.
pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<Option<CoseKey<'a>>, CcsError> {
    let (mut subject, mut key) = (None, None);
    for _ in 0..reader.map().ok_or(CcsError::Form)? {
        match reader.int().ok_or(CcsError::Form)? {
            SUBJECT if subject.is_none() => subject = Some(reader.text().ok_or(CcsError::Form)?),
            CONFIRMATION if key.is_none() => {
                // One method of confirmation, a COSE_Key.
                if (reader.map(), reader.int()) != (Some(1), Some(1)) {
                    return Err(CcsError::Form);
                }
                key = Some(cose_key(reader)?);
            }
            SUBJECT | CONFIRMATION => return Err(CcsError::Form),
            other => return Err(CcsError::Unknown(other)),
        }
    }
    Ok(key)
}

fn cose_key<'a>(reader: &mut Reader<'a>) -> Result<CoseKey<'a>, CcsError> {
    let mut key = CoseKey::default();
    let mut seen = Vec::new();
    for _ in 0..reader.map().ok_or(CcsError::Form)? {
        let label = reader.int().ok_or(CcsError::Form)?;
        if seen.contains(&label) {
            return Err(CcsError::Form);
        }
        seen.push(label);
        match label {
            KEY_TYPE if reader.int() == Some(2) => {}
            CURVE if reader.int() == Some(1) => {}
            KEY_TYPE | CURVE => return Err(CcsError::NotOnCurve),
            KID => key.kid = Some(reader.bytes().ok_or(CcsError::Form)?),
            X => key.x = reader.bytes().ok_or(CcsError::Form)?,
            Y => key.y = Some(reader.bytes().ok_or(CcsError::Form)?),
            PRIVATE => return Err(CcsError::PrivateKey),
            other => return Err(CcsError::Unknown(other)),
        }
    }
    match [KEY_TYPE, CURVE].iter().all(|label| seen.contains(label)) {
        true => Ok(key),
        false => Err(CcsError::Form),
    }
}
