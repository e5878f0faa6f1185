//! Contexts that cannot be added.

use std::sync::Arc;

use super::derivation::ParametersError;
use super::identifier::Identifier;

/// A context that cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// See [`ParametersError`].
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// Requests name their context by the `kid`.
    #[error("the recipient ID {kid} belongs to {principal}; give each device its own")]
    KidTaken {
        /// The identifier.
        kid: Identifier,
        /// The device that has it.
        principal: Arc<str>,
    },
    /// The bound of [`Contexts::new`].
    #[error("there are {0} security contexts, the most allowed; remove one first")]
    Full(usize),
}
