//! The gateway's own static key pair, with the credential that devices get when they are enrolled.

use std::fmt;

use zeroize::Zeroizing;

use super::ccs::{Ccs, Key};
use super::curve;

/// A static key pair of one side. `Debug` does not show the private key, which is wiped when it is dropped.
#[derive(Clone)]
pub struct Identity {
    private: Zeroizing<[u8; curve::ELEMENT]>,
    ccs: Ccs,
}

/// Bytes that are no private key of P-256: 0, or not below the order of the curve, which random ones are once in 2^32.
/// Or the key of another credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the private key is not one of P-256, or not that of the credential; use the two that belong together"
)]
pub struct BadKey;

impl Identity {
    /// The identity with this private key of 32 bytes, whose credential has this `kid`.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn new(private: &[u8; curve::ELEMENT], kid: &[u8]) -> Result<Self, BadKey> {
        let (x, y) = curve::public_key(private).ok_or(BadKey)?;
        let ccs = Ccs::of_key(&Key::new(x, Some(y)), kid);
        let private = Zeroizing::new(*private);
        Ok(Self { private, ccs })
    }

    /// The identity with this private key, whose credential has exactly these bytes.
    ///
    /// # Errors
    /// [`BadKey`]: it is no key, or that of another credential.
    pub fn with_ccs(private: &[u8; curve::ELEMENT], ccs: Ccs) -> Result<Self, BadKey> {
        let (x, _) = curve::public_key(private).ok_or(BadKey)?;
        match x == *ccs.x() {
            true => Ok(Self {
                private: Zeroizing::new(*private),
                ccs,
            }),
            false => Err(BadKey),
        }
    }

    /// What devices need to know of it.
    #[must_use]
    pub fn ccs(&self) -> &Ccs {
        &self.ccs
    }

    pub(super) fn private(&self) -> &[u8; curve::ELEMENT] {
        &self.private
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({:?})", self.ccs)
    }
}
