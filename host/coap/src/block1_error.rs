//! Refusals of blocks of a request body.

/// Why a block was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Block1Error {
    /// 4.08.
    #[error(
        "blocks before this one are missing, or were of another Content-Format; begin at block 0"
    )]
    Incomplete,
    /// 4.13: the body is above the limit, or announced to be.
    #[error("the body is above the limit in Size1; send less")]
    TooLarge,
    /// 4.00.
    #[error("a block is not as long as its Block1 option says; only the last may be shorter")]
    WrongLength,
    /// 5.03.
    #[error("there is no room for another block-wise body; send it again after Max-Age seconds")]
    Full,
}
