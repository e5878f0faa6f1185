//! What an operator asks of the rule manager, and what a rule looks like in its reply.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum ControlRequest {
    /// List all rules.
    List {},
    /// Replace the component of a rule, until the gateway restarts or the configured file is replaced.
    Swap {
        /// The rule's name.
        rule: String,
        /// The component's file, as an absolute path; the gateway reads it.
        file: PathBuf,
        /// The gateway never rolls it back by itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keep: bool,
    },
    /// Read the configuration and all files that it names again, as at SIGHUP.
    Reload {},
    /// Return to the previous revision.
    Rollback {
        /// The rule's name.
        rule: String,
    },
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleStatus {
    /// Its name.
    pub name: String,
    /// The path of its resources, `/` for the root.
    pub mount: String,
    /// SHA-256 of the component that serves; none if the rule is out of service.
    pub revision: Option<String>,
    /// The number of the revision in its manifest; 0 without one.
    pub number: u64,
    /// The file of the component.
    pub source: String,
    /// The name of the key that signed it.
    pub signer: Option<String>,
    /// Seconds since it was activated.
    pub age_seconds: u64,
    /// Calls of the component since then.
    pub calls: u64,
    /// Failed calls of all its revisions: traps and exceeded limits.
    pub traps: u64,
    /// Requests that wait for a homeserver.
    pub in_flight: usize,
    /// Whether only an operator can roll it back.
    #[serde(default)]
    pub kept: bool,
    /// SHA-256 of the component to which a rollback returns.
    pub previous: Option<String>,
    /// Seconds until the rule serves again after it failed too often; none while it serves.
    pub paused_seconds: Option<u64>,
    /// How often the rule reached each limit; only limits that were reached.
    pub limits_hit: Vec<(String, u64)>,
    /// Number of activated revisions, the first one included.
    pub replaced: u64,
    /// Number of revisions that could not be activated.
    pub refused: u64,
    /// Number of rollbacks.
    pub rolled_back: u64,
    /// Why the last attempt to replace the revision failed; none after a success.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_line_of_json_without_unknown_fields() {
        let command = ControlRequest::Swap {
            rule: "senml".into(),
            file: "/tmp/senml.wasm".into(),
            keep: false,
        };
        let line = serde_json::to_string(&command).unwrap();
        assert_eq!(
            line,
            r#"{"command":"swap","rule":"senml","file":"/tmp/senml.wasm"}"#
        );
        assert_eq!(
            serde_json::from_str::<ControlRequest>(&line).unwrap(),
            command
        );
        let kept = line.replace('}', r#","keep":true}"#);
        assert!(matches!(
            serde_json::from_str(&kept),
            Ok(ControlRequest::Swap { keep: true, .. })
        ));
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
