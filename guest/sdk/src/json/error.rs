//! Where and why a text is no JSON, or none that is accepted.

use std::borrow::Cow;
use std::fmt;

use crate::text::{concat, decimal};

/// An error in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Bytes before the error; the length of the text if it ends too early.
    pub offset: usize,
    /// The reason.
    pub reason: Cow<'static, str>,
}

impl JsonError {
    /// As a diagnostic: `JSON at byte 7: …`.
    pub fn diagnostic(&self) -> String {
        concat(&["JSON at byte ", &decimal(self.offset), ": ", &self.reason])
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.diagnostic())
    }
}

impl std::error::Error for JsonError {}

pub(crate) fn wrong<T>(
    offset: usize,
    reason: impl Into<Cow<'static, str>>,
) -> Result<T, JsonError> {
    Err(JsonError {
        offset,
        reason: reason.into(),
    })
}
