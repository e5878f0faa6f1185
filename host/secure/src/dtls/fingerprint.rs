//! Certificates by their digests.

use dimpl::crypto::{Buf, HashAlgorithm, rust_crypto};

/// A SHA-256 digest of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// The SHA-256 digest of a certificate in DER.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let mut hash = rust_crypto::default_provider()
        .hash_provider
        .create_hash(HashAlgorithm::SHA256);
    hash.update(certificate);
    let mut digest = Buf::new();
    hash.clone_and_finalize(&mut digest);
    digest.first_chunk().copied().unwrap_or_default()
}
