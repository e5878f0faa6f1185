//! State that the caller stores before it is used.

use std::sync::Arc;

use super::identifier::Identifier;
use super::usage::Used;

/// Names a context as long as the table lives. A context that replaces another one of the same `kid` has another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextId(pub(super) u64);

/// State to be stored before it is used: the context has used no sequence number at or above the end that was stored
/// before, and uses none until [`Contexts::reserved`](super::Contexts::reserved).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The context.
    pub context: ContextId,
    /// The `kid` of its device.
    pub kid: Identifier,
    /// The name of its device.
    pub principal: Arc<str>,
    /// What the store must have: [`Contexts::add`](super::Contexts::add) gets it after the next start.
    pub end: u64,
    /// The same for [`Contexts::resume_use`](super::Contexts::resume_use).
    pub used: Used,
}
