//! The observer that a case runs against.

use crate::bindings::{Change, Context, Failure, HttpRequest, HttpResponse, Message, Progress};

/// The functions of the contract's `observer`: a rule's native code, or its component.
pub trait Observer {
    /// The contract's `poll`.
    ///
    /// # Errors
    /// [`Fault`].
    fn poll(&mut self, state: &[u8], topics: &[String]) -> Result<HttpRequest, Fault>;

    /// The contract's `polled`.
    ///
    /// # Errors
    /// [`Fault`].
    fn polled(
        &mut self,
        state: &[u8],
        topics: &[String],
        response: &HttpResponse,
    ) -> Result<Progress, Fault>;

    /// The contract's `notify`.
    ///
    /// # Errors
    /// [`Fault`].
    fn notify(&mut self, context: &Context, change: &Change) -> Result<Message, Fault>;
}

/// Why a function of an observer has no result.
#[derive(Debug)]
pub enum Fault {
    /// The rule's own failure, which a case may expect.
    Failed(Failure),
    /// A fault that no case may expect: a trap, for example.
    Broken(String),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
