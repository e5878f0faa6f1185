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

/// Bytes that are no private key of P-256: 0, or not below the order of the curve. Random ones are none once in 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key is not valid for P-256; make another one")]
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

    /// One whose credential has other bytes than the gateway makes.
    #[cfg(test)]
    pub(super) fn with_ccs(private: &[u8; curve::ELEMENT], ccs: Ccs) -> Self {
        let private = Zeroizing::new(*private);
        Self { private, ccs }
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
