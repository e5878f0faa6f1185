//! The key pair of the gateway for EDHOC: made with the first device that needs it, and kept for good. Devices have its
//! public part.

use secrecy::zeroize::Zeroizing;

use secure::edhoc::Identity;
use store::database::{Batch, ReadError, Records, Space};

use super::credential::{GATEWAY_ID, random};

/// The record among those of the gateway itself.
const RECORD: u64 = u64::from_be_bytes(*b"edhockey");

/// The key pair in the store, if there is one. None also if it cannot be read: the log says so.
pub(super) fn read(records: &Records) -> Result<Option<Identity>, ReadError> {
    let Some(stored) = records.read(Space::Meta, RECORD)?.map(Zeroizing::new) else {
        return Ok(None);
    };
    let identity = <&[u8; 32]>::try_from(stored.as_slice())
        .ok()
        .and_then(|private| Identity::new(private, &[GATEWAY_ID]).ok());
    if identity.is_none() {
        tracing::error!(
            "the key of the gateway for EDHOC in the store cannot be read; devices with --edhoc need to be enrolled \
             again"
        );
    }
    Ok(identity)
}

/// A new key pair, and the change of the store that keeps it.
pub(super) fn make(batch: &mut Batch) -> Identity {
    loop {
        let private = Zeroizing::new(random::<32>());
        // All but one of 2^32 numbers are keys.
        if let Ok(identity) = Identity::new(&private, &[GATEWAY_ID]) {
            batch.put(Space::Meta, RECORD, private.to_vec());
            return identity;
        }
    }
}
