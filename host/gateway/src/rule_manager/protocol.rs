//! What an operator's command and the gateway tell each other through the control socket: one line of JSON each way.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Event, Events};

/// Bytes of a line. A list of some hundred rules fits.
pub const MAX_LINE: u64 = 256 << 10;

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum ControlRequest {
    /// To see all rules.
    List {},
    /// Another component for a rule, until the gateway starts again or the configured file is replaced.
    Swap {
        /// The rule's name.
        rule: String,
        /// The component's file, as an absolute path; the gateway reads it.
        file: PathBuf,
    },
    /// To have the configuration and all files that it names read again, as at SIGHUP.
    Reload {},
    /// The revision before the current one.
    Rollback {
        /// The rule's name.
        rule: String,
    },
}

impl ControlRequest {
    /// Tells the manager, and waits for its reply: as long as it takes, since rules are compiled.
    pub async fn tell(self, events: &Events) -> Reply {
        let (reply, answer) = oneshot::channel();
        let gone = || Reply::Refused("the gateway is going down; try again".to_owned());
        if events.send(Event::ControlRequest(self, reply)).is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }
}

/// What the gateway says to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// It was done: a sentence.
    Done(String),
    /// It was not: what happened, and the remedy.
    Refused(String),
    /// All rules.
    Rules(Vec<RuleStatus>),
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// Its name.
    pub name: String,
    /// Where its links are, `/` for the root.
    pub mount: String,
    /// SHA-256 of the component that serves; none while none does.
    pub revision: Option<String>,
    /// The number that its author gave the revision; 0 without one.
    pub number: u64,
    /// Where it came from.
    pub source: String,
    /// Whose key has signed it.
    pub signer: Option<String>,
    /// Seconds since it was activated.
    pub age_seconds: u64,
    /// Calls of the component since then.
    pub calls: u64,
    /// Calls of all its revisions that gave no result.
    pub traps: u64,
    /// Exchanges that wait for a homeserver.
    pub in_flight: usize,
    /// SHA-256 of what a rollback brings back.
    pub previous: Option<String>,
    /// Seconds until the rule is tried again after it failed too often; none while it serves.
    pub paused_seconds: Option<u64>,
    /// How often each limit was hit, those that were.
    pub limits_hit: Vec<(String, u64)>,
    /// How often a revision was activated, the first one included.
    pub replaced: u64,
    /// How often one could not be.
    pub refused: u64,
    /// How often the one before came back.
    pub rolled_back: u64,
    /// Why the last attempt to replace it did not succeed; none once one did.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_one_line_of_json_and_nothing_unknown() {
        let wish = ControlRequest::Swap {
            rule: "senml".into(),
            file: "/tmp/senml.wasm".into(),
        };
        let line = serde_json::to_string(&wish).unwrap();
        assert_eq!(
            line,
            r#"{"command":"swap","rule":"senml","file":"/tmp/senml.wasm"}"#
        );
        assert_eq!(serde_json::from_str::<ControlRequest>(&line).unwrap(), wish);
        assert_eq!(
            serde_json::from_str::<ControlRequest>(r#"{"command":"list"}"#).unwrap(),
            ControlRequest::List {}
        );
        for wrong in [
            r#"{"command":"stop"}"#,
            r#"{"command":"list","all":true}"#,
            "[]",
        ] {
            assert!(
                serde_json::from_str::<ControlRequest>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
