//! What an operator asks about the outbox, and what messages look like in the reply. Text from outside has no control
//! characters, and no reply has an access token.

use outbox::{State, Waiting};
use serde::{Deserialize, Serialize};

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum OutboxRequest {
    /// List messages that wait or have failed.
    List {
        /// Only those of one kind.
        only: Option<Only>,
        /// At most so many.
        limit: usize,
    },
    /// All of one message.
    Show {
        /// Its id, or the first 8 digits of it, or more.
        id: String,
        /// Also its text.
        content: bool,
    },
    /// Try messages now: pauses end, and failed ones wait again.
    Retry {
        /// The id of one; none for all.
        id: Option<String>,
    },
    /// Remove a message. It is not sent.
    Drop {
        /// Its id.
        id: String,
    },
}

/// A kind of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// Those that wait.
    Waiting,
    /// Those that have failed.
    Failed,
}

/// Messages, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// So many as were asked for.
    pub records: Vec<RecordLine>,
    /// Others of the kind that was asked for.
    pub left_out: usize,
    /// All that wait.
    pub waiting: usize,
    /// Bytes of their records.
    pub waiting_bytes: usize,
    /// Seconds that the oldest of them has waited.
    pub oldest_seconds: Option<u64>,
    /// Attempts in progress.
    pub in_flight: usize,
    /// All failed ones that are kept.
    pub failed: usize,
}

/// A message on one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordLine {
    /// The short form of its id.
    pub id: String,
    /// Whether it waits.
    pub state: RecordState,
    /// Seconds since it was accepted.
    pub age_seconds: u64,
    /// Its device: the principal, else the IP address. None, as the next three, if the record cannot be read.
    pub device: Option<String>,
    /// The rule that made it.
    pub rule: Option<String>,
    /// Scheme, host and port of its homeserver.
    pub homeserver: Option<String>,
    /// What it is ordered by: its room.
    pub lane: Option<String>,
    /// Attempts since the gateway was started.
    pub attempts: u32,
    /// What it waits for; none if it does not wait.
    pub waits_for: Option<WaitsFor>,
    /// Why it failed, or why its record cannot be read.
    pub reason: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordDetails {
    /// Its id, which is also its transaction id at the homeserver.
    pub id: String,
    /// As the list has it.
    pub line: RecordLine,
    /// Unix time of the acceptance; none if the clock was not set.
    pub accepted_unix: Option<u64>,
    /// Unix time of the end; none if it waits, or if the clock was not set.
    pub ended_unix: Option<u64>,
    /// Bytes of its record.
    pub bytes: usize,
    /// What else its record says; none if it cannot be read.
    pub record: Option<RecordContent>,
}

/// What only the record of a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordContent {
    /// The address of its device.
    pub address: String,
    /// The principal of its device, if it had proven one.
    pub principal: Option<String>,
    /// The device's own transaction id.
    pub transaction: String,
    /// Whether the device has presented the access token; else it is the configured one.
    pub own_token: bool,
    /// Whether an attempt was made before it was stored, or before it failed.
    pub attempted: bool,
    /// Unix time at which it was revived after it had failed.
    pub revived_unix: Option<u64>,
    /// Method and path of its request, without the transaction id; none, as the next ones, if it was sent.
    pub request: Option<String>,
    /// Bytes of its text.
    pub content_bytes: Option<usize>,
    /// Its text, if that was asked for.
    pub content: Option<String>,
    /// What the homeserver responded when it was sent, such as the event's id.
    pub sent: Option<serde_json::Value>,
}

/// Whether a message waits or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    /// It waits, or is in flight.
    Waiting,
    /// The homeserver has it.
    Sent,
    /// It is not attempted any more.
    Failed,
}

/// What a message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
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

impl From<State> for RecordState {
    fn from(state: State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Sent => Self::Sent,
            State::Failed => Self::Failed,
        }
    }
}

impl From<Waiting> for WaitsFor {
    fn from(waiting: Waiting) -> Self {
        match waiting {
            Waiting::Lane => Self::Lane,
            Waiting::InFlight => Self::InFlight,
            Waiting::Turn => Self::Turn,
            Waiting::Homeserver => Self::Homeserver,
            Waiting::Pause => Self::Pause,
            Waiting::Limited => Self::Limited,
            Waiting::Token => Self::Token,
        }
    }
}
