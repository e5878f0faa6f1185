//! The values that the gateway and its rules exchange (`wit/`), and the words in which an operator grants calls to a rule.
//!
//! Everything here computes: no socket, no file but a token's, no thread. Read first: [`bindings`], then [`grant`].

pub mod bindings;
pub mod clock;
pub mod digest;
pub mod escaping;
pub mod grant;
pub mod links;
pub mod needs;
pub mod path_pattern;
pub mod path_segment;
pub mod peer;
pub mod secret;

pub use bindings::{
    CallError, Change, CoapOption, Context, Description, Effect, Failure, HttpRequest,
    HttpResponse, Link, Message, Need, Progress, Reply, Segment, SessionChange, Step, Target,
    Upstream, Watch,
};
pub use digest::Digest;
pub use grant::{Grant, GrantError};
pub use links::{Match, Mismatch};
pub use path_pattern::{PathPattern, PatternError};
pub use peer::Peer;
