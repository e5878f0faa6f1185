//! Refusals of blocks of a request body.

/// Why a block was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Block1Error {
    /// 4.08.
    #[error("begin at block 0: earlier blocks are missing, or differ")]
    Incomplete,
    /// 4.13: the body is above the limit, or announced to be.
    #[error("the body is above the limit in Size1; send less")]
    TooLarge,
    /// 4.00.
    #[error("a block has another length than its Block1 option says")]
    WrongLength,
    /// 5.03.
    #[error("send it again after Max-Age: no room for another body in blocks")]
    Full,
}
