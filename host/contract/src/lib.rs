//! The values that the gateway and its rules exchange (`wit/`), and the language in which an operator grants calls to a
//! rule.
//!
//! Everything here computes: no socket, no thread, no file except an access token's. Read first: [`bindings`], then
//! [`call`], then [`grant`].

pub mod bindings;
pub mod call;
pub mod call_fault;
pub mod clock;
pub mod delivery;
pub mod digest;
pub mod escaping;
pub mod feed_progress;
pub mod grant;
mod header;
pub mod known_options;
pub mod links;
pub mod path_pattern;
pub mod path_segment;
pub mod peer;
pub mod requested_paths;
pub mod secret;
mod stored_context;

pub use bindings::{
    CallError, Change, CoapOption, Context, Delivery, Description, Effect, Failure, HttpRequest,
    HttpResponse, Link, Message, Need, Progress, Reply, Segment, SessionChange, Step, Target,
    Upstream, Watch,
};
pub use call::{Call, CheckedRequest, Credential, Method};
pub use call_fault::CallFault;
pub use delivery::{DeliveryFault, DeliveryId, Sender};
pub use digest::Digest;
pub use feed_progress::FeedProgress;
pub use grant::{Grant, GrantError};
pub use header::{HeaderGrants, NotGrantable};
pub use known_options::{KnownOption, KnownOptions};
pub use links::{Match, Mismatch};
pub use path_pattern::{PathPattern, PatternError};
pub use peer::Peer;
pub use stored_context::StoredContext;

/// The outcome of a homeserver call.
pub type Outcome = Result<HttpResponse, CallError>;
