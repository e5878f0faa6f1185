//! The component runtime: translation rules as WebAssembly components, each call in a fresh, limited
//! instance. It knows no sockets; what a rule wants done comes back as a value.

mod activation;
mod activation_error;
mod bindings;
mod budget;
mod cache;
mod call;
mod compile;
mod compiler;
pub mod conversion;
mod digest;
mod engine;
mod exports;
pub mod files;
mod function;
mod given;
mod grant;
mod health;
mod limits;
mod links;
mod manifest;
mod needs;
mod observing;
mod package;
mod path_pattern;
mod revision;
mod scrub;
mod signature;
mod smoke;
mod state;
mod table;
mod trust;

pub use activation_error::ActivationError;
pub use bindings::{
    CallError, Change, CoapOption, Context, Description, Effect, Failure, HttpRequest,
    HttpResponse, Link, Message, Need, Progress, Reply, Segment, SessionChange, Step, Target,
    Upstream, Watch,
};
pub use budget::{Budget, Permit};
pub use cache::{Cache, CacheError};
pub use call::Trap;
pub use compile::{CompileError, Footprint, compile};
pub use compiler::{COMMAND as COMPILE_COMMAND, CompileLimits, Compiler};
pub use digest::Digest;
pub use engine::{Engine, EngineError, Engines};
pub use grant::{Grant, GrantError};
pub use limits::{Limit, RuleLimits};
pub use links::{Match, Mismatch};
pub use manifest::{
    CONTRACT_VERSION, MAX_MANIFEST, MAX_VECTORS, Manifest, ManifestError, Vector, check_name,
    needs_of,
};
pub use package::{MAX_COMPONENT, Package, PackageError, manifest_path, signature_path};
pub use path_pattern::{PathPattern, PatternError};
pub use revision::{Candidate, Revision};
pub use signature::{KeyError, MAX_KEY_FILE, PrivateKey, PublicKey};
pub use smoke::{SmokeError, smoke};
pub use state::{Alarm, Bell, RuleState};
pub use table::{Conflict, Mounted, Table};
pub use trust::{Trust, TrustError};
