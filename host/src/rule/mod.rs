//! The component runtime: translation rules as WebAssembly components, each call in a fresh, limited
//! instance. It knows no sockets; what a rule wants done comes back as a value.

mod activation;
mod activation_error;
mod bindings;
mod budget;
#[cfg(feature = "compiler")]
mod cache;
#[cfg(not(feature = "compiler"))]
#[path = "no_cache.rs"]
mod cache;
mod call;
mod code;
#[cfg(feature = "compiler")]
mod compile;
#[cfg(feature = "compiler")]
mod compiler;
pub mod conversion;
mod digest;
mod engine;
#[cfg_attr(
    not(feature = "compiler"),
    allow(dead_code, reason = "what is told to a compiler")
)]
mod engine_config;
mod exports;
pub mod files;
mod function;
mod given;
mod grant;
mod health;
mod limits;
mod links;
mod manifest;
mod native;
mod native_statement;
mod needs;
mod observing;
mod package;
mod package_error;
mod path_pattern;
mod revision;
mod scrub;
mod signature;
mod smoke;
mod state;
mod table;
mod target;
mod trust;
mod vector;

pub use activation_error::ActivationError;
pub use bindings::{
    CallError, Change, CoapOption, Context, Description, Effect, Failure, HttpRequest,
    HttpResponse, Link, Message, Need, Progress, Reply, Segment, SessionChange, Step, Target,
    Upstream, Watch,
};
pub use budget::{Budget, Permit};
pub use cache::{Cache, CacheError};
pub use call::Trap;
pub use code::Code;
#[cfg(feature = "compiler")]
pub use compile::{CompileError, Footprint, compile};
#[cfg(feature = "compiler")]
pub use compiler::{COMMAND as COMPILE_COMMAND, CompileLimits, Compiler};
pub use digest::Digest;
pub use engine::{Engine, EngineError, Engines};
pub use grant::{Grant, GrantError};
pub use limits::{Limit, RuleLimits};
pub use links::{Match, Mismatch};
pub use manifest::{
    CONTRACT_VERSION, MAX_MANIFEST, MAX_VECTORS, Manifest, ManifestError, check_name, needs_of,
};
pub use native::{MAX_NATIVE, NativeCode, NativeError};
pub use native_statement::{NativeStatement, StatementError};
pub use package::{MAX_COMPONENT, Package, manifest_path, signature_path};
pub use package_error::PackageError;
pub use path_pattern::{PathPattern, PatternError};
pub use revision::{Candidate, Revision};
pub use signature::{KeyError, MAX_KEY_FILE, PrivateKey, PublicKey};
pub use smoke::{SmokeError, smoke};
pub use state::{Alarm, Bell, RuleState};
pub use table::{Conflict, Mounted, Table};
pub use target::{Target as NativeTarget, TargetError};
pub use trust::{Trust, TrustError};
pub use vector::Vector;
