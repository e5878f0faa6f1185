//! Where and why a payload is no CBOR, or none that is accepted.

use std::borrow::Cow;
use std::fmt;

use crate::text::{concat, decimal};

/// An error in a CBOR payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CborError {
    /// Bytes before the item that is wrong; the payload's length if it ends too early.
    pub offset: usize,
    /// The reason.
    pub reason: Cow<'static, str>,
}

impl CborError {
    /// As a diagnostic: `CBOR at byte 7: …`.
    pub fn diagnostic(&self) -> String {
        concat(&["CBOR at byte ", &decimal(self.offset), ": ", &self.reason])
    }
}

impl fmt::Display for CborError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.diagnostic())
    }
}

impl std::error::Error for CborError {}

pub(super) fn wrong<T>(
    offset: usize,
    reason: impl Into<Cow<'static, str>>,
) -> Result<T, CborError> {
    Err(CborError {
        offset,
        reason: reason.into(),
    })
}
