//! Results of a rule that its contract does not allow.

use contract::DeliveryFault;

/// A result of a rule above one of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractViolation {
    /// `[rule.limits] body`, of a reply or a notification.
    #[error("its reply has {bytes} bytes, the limit is {limit}")]
    Reply {
        /// Of the payload.
        bytes: usize,
        /// The most that it may have.
        limit: usize,
    },
    /// `[rule.limits] state`.
    #[error("its state has {bytes} bytes, the limit is {limit}")]
    State {
        /// Of the state.
        bytes: usize,
        /// The most that it may have.
        limit: usize,
    },
    /// `[rule.limits] steps`.
    #[error("it asks for more than {limit} calls and deliveries")]
    Steps {
        /// The most that one exchange may make.
        limit: u32,
    },
    /// A delivery that cannot be made.
    #[error("it asks for a delivery, but {0}")]
    Delivery(#[from] DeliveryFault),
    /// The response to a delivery that waits, of another class than 2: the message is stored and will be sent.
    #[error("its outbox responds to a stored delivery with code {}.{:02}, not with class 2", code >> 5, code & 0x1f)]
    Accepted {
        /// Of the response.
        code: u8,
    },
    /// A delivery waits, but the rule cannot respond to that.
    #[error("it exports no outbox, so that its deliveries cannot wait")]
    NoOutbox,
    /// [`MAX_CHANGES`](crate::MAX_CHANGES).
    #[error("it reads {count} changes from one response, the limit is {limit}")]
    Changes {
        /// Of the changes.
        count: usize,
        /// The most that one response may have.
        limit: usize,
    },
    /// [`MAX_CHANGE`](crate::MAX_CHANGE).
    #[error("a change has {bytes} bytes, the limit is {limit}")]
    Change {
        /// Of the change's payload.
        bytes: usize,
        /// The most that it may have.
        limit: usize,
    },
}
