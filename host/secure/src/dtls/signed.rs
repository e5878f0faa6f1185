//! Whether a certificate signed another one (RFC 5280 §4.1.1.3), by the verifier that the library has for handshakes.

use dimpl::crypto::{HashAlgorithm, SignatureAlgorithm, rust_crypto};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Header, Reader, SliceReader};

/// RFC 5758 §3.2: ecdsa-with-SHA256 and ecdsa-with-SHA384.
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// Why a certificate does not count as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSigned {
    /// It cannot be read.
    Malformed,
    /// Its algorithm is not ECDSA with SHA-256 or SHA-384, or it names two.
    Algorithm,
    /// The signature is another one.
    Signature,
}

/// Whether the key of `authority` signed `certificate`, both in DER.
pub(super) fn check(certificate: &[u8], authority: &[u8]) -> Result<(), NotSigned> {
    let parsed = Certificate::from_der(certificate).map_err(|_| NotSigned::Malformed)?;
    let algorithm = parsed.signature_algorithm();
    if algorithm != parsed.tbs_certificate().signature() {
        return Err(NotSigned::Algorithm);
    }
    let hash = match algorithm.oid {
        ECDSA_WITH_SHA256 => HashAlgorithm::SHA256,
        ECDSA_WITH_SHA384 => HashAlgorithm::SHA384,
        _ => return Err(NotSigned::Algorithm),
    };
    let signature = parsed.signature().as_bytes().ok_or(NotSigned::Malformed)?;
    let signed = signed_bytes(certificate).ok_or(NotSigned::Malformed)?;
    rust_crypto::default_provider()
        .signature_verification
        .verify_signature(
            authority,
            signed,
            signature,
            hash,
            SignatureAlgorithm::ECDSA,
        )
        .map_err(|_| NotSigned::Signature)
}

/// The first element of the certificate as it came: encoding the parsed one again might differ.
fn signed_bytes(certificate: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(certificate).ok()?;
    Header::decode(&mut reader).ok()?;
    reader.tlv_bytes().ok()
}
