//! The component runtime: verifies, compiles and calls translation rules, which are WebAssembly components. Each call
//! runs in a fresh, limited instance. The runtime has no sockets: the effects that a rule asks for are values.
//!
//! Read first: [`Revision`], then `revision/activation.rs`, then `call/mod.rs`, then [`exchange`].

#[cfg(all(feature = "compiler", feature = "router"))]
compile_error!(
    "the gateway is built with a compiler of rules or without one: for a router add --no-default-features, otherwise \
     omit --features router (and --all-features)"
);
#[cfg(not(any(feature = "compiler", feature = "router")))]
compile_error!(
    "choose a build of the gateway: the full one (the default feature `compiler`), or the one for routers, \
     --no-default-features --features router"
);

mod built_in;
mod call;
mod contract_violation;
mod engine;
pub mod exchange;
mod limits;
mod machine_speed;
mod mount_table;
mod package;
mod revision;
mod vectors;

pub use built_in::BuiltIn;
pub use call::Trap;
pub use comatrix_sdk::vectors::Case;
pub use contract_violation::ContractViolation;
pub use engine::cache::{Cache, CacheError};
#[cfg(feature = "compiler")]
pub use engine::compile::{CompileError, compile};
#[cfg(feature = "compiler")]
pub use engine::compile_component;
#[cfg(feature = "compiler")]
pub use engine::compiler::{COMMAND as COMPILE_COMMAND, CompileLimits, Compiler};
pub use engine::engines::Engines;
pub use engine::native::{MAX_NATIVE, NativeCode, NativeError};
pub use engine::native_statement::{NativeStatement, StatementError};
pub use engine::rule_binary::RuleBinary;
#[cfg(feature = "compiler")]
pub use engine::rule_binary::{DEFAULT_RULE, MSC3079_RULE};
pub use engine::target::{Target as NativeTarget, TargetError};
pub use engine::{Engine, EngineError};
pub use limits::{
    HOMESERVER_CALLS, Limit, MAX_CHANGE, MAX_CHANGES, MAX_IN_FLIGHT_BYTES, RuleLimits,
};
pub use machine_speed::time_factor;
pub use mount_table::{Conflict, MountTable, Mounted};
pub use package::error::PackageError;
pub use package::manifest::{
    CONTRACT_VERSION, MAX_MANIFEST, MAX_VECTORS, Manifest, ManifestError, check_name,
};
pub use package::signature::{KeyError, MAX_KEY_FILE, PrivateKey, PublicKey};
pub use package::trust::{Trust, TrustError};
pub use package::{MAX_COMPONENT, Package, manifest_path, signature_path};
pub use revision::Revision;
pub use revision::accounting::{Alarm, FailureSink, PendingAlarm, RuleAccounting};
pub use revision::activation_error::ActivationError;
pub use revision::budget::{Budget, Permit};
pub use revision::call_input::{CallEnd, CallInput, FailedCall};
pub use revision::call_policy::CallDenied;
pub use revision::candidate::Candidate;
#[cfg(feature = "compiler")]
pub use revision::footprint::Footprint;
pub use revision::observing::ObserverError;
pub use revision::revision_id::RevisionId;
pub use vectors::conversion;
pub use vectors::self_test::{SelfTestError, self_test};
