//! The authorities of the last start or reload, in the store.

use secure::dtls::Fingerprint;
use store::database::{Batch, ReadError, Records, Space};

/// The record among those of the gateway itself.
const RECORD: u64 = u64::from_be_bytes(*b"coaps_ca");

/// Their fingerprints; none if no device ever had a certificate.
pub(super) fn read(records: &Records) -> Result<Vec<Fingerprint>, ReadError> {
    let stored = records.read(Space::Meta, RECORD)?.unwrap_or_default();
    let (fingerprints, _) = stored.as_chunks();
    Ok(fingerprints.to_vec())
}

/// Replaces them.
pub(super) fn put(fingerprints: &[Fingerprint], batch: &mut Batch) {
    batch.put(Space::Meta, RECORD, fingerprints.concat());
}
