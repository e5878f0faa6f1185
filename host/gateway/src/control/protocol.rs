//! The protocol of the control socket: a command and a reply, each one line of JSON.

use serde::{Deserialize, Serialize};

use crate::devices::operators::{DeviceList, DevicesRequest, Enrolment, ShownSecret};
use crate::outbox::operators::{Listing, OutboxRequest, RecordDetails};
use crate::rule_manager::{ControlRequest, RuleStatus};

/// Bytes of the line of a command: a file of 20,000 devices fits. Only the gateway's own user can send one.
pub const MAX_COMMAND: u64 = 9 << 20;
/// Bytes of the line of a reply. Such a file fits, and a list of some hundred rules.
pub const MAX_REPLY: u64 = 9 << 20;

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// About the rules.
    Rules(ControlRequest),
    /// About messages that wait for their homeserver.
    Outbox(OutboxRequest),
    /// About devices that are enrolled.
    Devices(DevicesRequest),
}

/// The reply of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// The command succeeded; a sentence about it.
    Done(String),
    /// The command failed; the reason and the remedy.
    Refused(String),
    /// All rules.
    Rules(Vec<RuleStatus>),
    /// Messages of the outbox.
    Records(Listing),
    /// One of them.
    Record(Box<RecordDetails>),
    /// Devices.
    Devices(DeviceList),
    /// All devices with their secrets.
    Exported(ShownSecret),
    /// A device with its new secret.
    Enrolled(Box<Enrolment>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_line_of_json_without_unknown_fields() {
        let retry = Command::Outbox(OutboxRequest::Retry { id: None });
        for (command, line) in [
            (
                Command::Rules(ControlRequest::List {}),
                r#"{"rules":{"command":"list"}}"#,
            ),
            (retry, r#"{"outbox":{"command":"retry","id":null}}"#),
        ] {
            assert_eq!(serde_json::to_string(&command).unwrap(), line);
            assert_eq!(serde_json::from_str::<Command>(line).unwrap(), command);
        }
        for wrong in [
            r#"{"outbox":{"command":"stop"}}"#,
            r#"{"outbox":{"command":"drop"}}"#,
            r#"{"outbox":{"command":"drop","id":"01234567","all":true}}"#,
            r#"{"rules":{"command":"list"},"outbox":{"command":"retry"}}"#,
            r#"{"command":"list"}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Command>(wrong).is_err(), "{wrong}");
        }
    }
}
