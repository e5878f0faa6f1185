//! Why a delivery waits.

use std::time::Duration;

/// Why an attempt has no final result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No connection. The homeserver counts as down.
    Unreachable,
    /// No response in time. The homeserver counts as down, unless it responded to another attempt meanwhile.
    TimedOut,
    /// A response of class 5xx, or one that could not be read: of this lane alone.
    Server,
    /// The gateway has made no attempt: it has no room for one.
    Busy,
    /// 429, with the time that it asks for: of the account.
    Limited(Duration),
    /// The access token is refused: of the account, until there may be a new one.
    Token,
}

/// What a delivery waits for, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Those before it in its lane.
    Lane,
    /// The result of its attempt.
    InFlight,
    /// Its turn.
    Turn,
    /// Its homeserver, which did not respond.
    Homeserver,
    /// The end of a pause after a failure.
    Pause,
    /// The end of a pause that the homeserver asked for.
    Limited,
    /// A new access token.
    Token,
}
