//! Errors of activation, for the operator: the step that failed, its cause, and the remedy.

use crate::call::Trap;
use crate::engine::native::NativeError;
use crate::engine::{Engine, EngineError};
use crate::package::manifest::CONTRACT_VERSION;

/// A component did not become a revision. The old revision keeps serving.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The bytes are no component this engine can compile.
    #[error(
        "rule {rule}: not a WebAssembly component for this gateway: {cause}; build it with `comatrix-gateway rule \
        build` or ask its author"
    )]
    Compile {
        /// The rule's name.
        rule: String,
        /// The compiler's reason.
        cause: String,
    },
    /// Its compilation could take more time and memory than a router has.
    #[error(
        "rule {rule}: {fault}; build it smaller, or raise its limit memory above {} if it is that large",
        Engine::SMALL_MEMORY
    )]
    TooLarge {
        /// The rule's name.
        rule: String,
        /// The part that is too large.
        fault: String,
    },
    /// Native code that is not for this gateway.
    #[error("rule {rule}: {cause}")]
    Native {
        /// The rule's name.
        rule: String,
        /// The reason and the remedy.
        cause: NativeError,
    },
    /// It imports more than a rule gets.
    #[error(
        "rule {rule}: it imports {import}, but a rule may only import the contract's log; rebuild it for \
         wasm32-unknown-unknown without WASI"
    )]
    Import {
        /// The rule's name.
        rule: String,
        /// The first import beyond the contract.
        import: String,
    },
    /// It is built for another version of the contract.
    #[error(
        "rule {rule}: it is built for the contract {found}, this gateway has {CONTRACT_VERSION}; rebuild it with \
        version {CONTRACT_VERSION} of the SDK (`comatrix-gateway rule new` writes it), or against this gateway's wit \
        folder"
    )]
    OtherContract {
        /// The rule's name.
        rule: String,
        /// The rule's version of it.
        found: String,
    },
    /// It does not have the functions of the contract.
    #[error(
        "rule {rule}: it does not fit the contract comatrix:gateway@{CONTRACT_VERSION}: {cause}; rebuild it against \
        this gateway's wit folder"
    )]
    Contract {
        /// The rule's name.
        rule: String,
        /// The linker's reason.
        cause: String,
    },
    /// `describe` trapped.
    #[error("{0}")]
    Trap(#[from] Trap),
    /// `describe` refused, for example because of a setting that it cannot use.
    #[error("rule {rule}: it refuses its configuration: {cause}")]
    Refused {
        /// The rule's name.
        rule: String,
        /// The rule's error.
        cause: String,
    },
    /// The description exceeds its bounds.
    #[error(
        "rule {rule}: it describes {count} {what}, at most 64 are allowed; its author must split the rule"
    )]
    Description {
        /// The rule's name.
        rule: String,
        /// `links` or `needs`.
        what: &'static str,
        /// The number of them.
        count: usize,
    },
    /// It describes something impossible.
    #[error("rule {rule}: its description: {fault}; its author must correct it")]
    Impossible {
        /// The rule's name.
        rule: String,
        /// The fault.
        fault: String,
    },
    /// It needs calls that the operator has not granted.
    #[error(
        "rule {rule}: it needs calls that are not granted; if it may make them, add to its [[rule]]: allow = \
         [{missing}]"
    )]
    NotGranted {
        /// The rule's name.
        rule: String,
        /// The grants, ready to be copied.
        missing: String,
    },
    /// The engine for rules of this size cannot be started.
    #[error("rule {rule}: {cause}")]
    Engine {
        /// The rule's name.
        rule: String,
        /// The reason.
        cause: EngineError,
    },
}

impl ActivationError {
    /// The step of activation that failed.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Native { .. } => "load",
            Self::Engine { .. } | Self::TooLarge { .. } | Self::Compile { .. } => "compile",
            Self::Import { .. } => "check imports",
            Self::OtherContract { .. } | Self::Contract { .. } => "link",
            Self::Trap(_)
            | Self::Refused { .. }
            | Self::Description { .. }
            | Self::Impossible { .. } => "describe",
            Self::NotGranted { .. } => "policy",
        }
    }
}
