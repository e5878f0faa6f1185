//! The component runtime: translation rules as WebAssembly components, each call in a fresh, limited
//! instance. It knows no sockets; what a rule wants done comes back as a value.

mod activation;
mod bindings;
mod cache;
mod call;
mod digest;
mod engine;
mod exports;
mod links;
mod needs;
mod revision;

pub use activation::ActivationError;
pub use bindings::{
    CallError, CoapOption, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Link,
    Message, Need, Reply, Segment, SessionChange, Step, Target, Upstream,
};
pub use cache::{Cache, CacheError};
pub use call::Trap;
pub use digest::Digest;
pub use engine::{Engine, EngineError, RuleLimits};
pub use links::{Match, Mismatch};
pub use revision::Revision;
