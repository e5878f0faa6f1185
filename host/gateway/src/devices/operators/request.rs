//! What an operator asks about devices, and what the gateway replies.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::super::credential::Method;
pub use crate::sessions::SessionLine;

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum DevicesRequest {
    /// Enrol a device with a new secret.
    Add {
        /// Its name.
        name: String,
        /// How it proves itself.
        method: Method,
    },
    /// List all devices.
    List {},
    /// One device.
    Show {
        /// Its name.
        name: String,
    },
    /// Give a device a new secret.
    Rotate {
        /// Its name.
        name: String,
        /// How it proves itself from now on; none: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<Method>,
    },
    /// Remove a device.
    Remove {
        /// Its name.
        name: String,
    },
    /// Enrol the devices of a file, all of them or none.
    Import {
        /// Its text.
        file: ShownSecret,
    },
    /// All devices with their secrets, as such a file.
    Export {},
}

/// A device, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its name.
    pub name: String,
    /// How it proves itself.
    pub method: Method,
    /// The first digits of the SHA-256 of its secret.
    pub fingerprint: String,
    /// When it got its secret, in seconds since 1970; none if the clock was not set.
    pub enrolled: Option<u64>,
    /// Its logins that the gateway remembers, the last one last; only if one device is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionLine>,
}

/// Devices by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// The first ones.
    pub devices: Vec<DeviceLine>,
    /// Others.
    pub left_out: usize,
}

/// A device with its new secret: the only time that it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The device.
    pub device: DeviceLine,
    /// What goes into it.
    #[serde(flatten)]
    pub secret: Secret,
}

/// What goes into a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// For `coaps`.
    Psk {
        /// 16 characters, used as ASCII.
        key: ShownSecret,
        /// The port of `coaps`; else why it is closed.
        port: Result<u16, String>,
    },
    /// For OSCORE on the plain port. All in hexadecimal digits, and the identifiers as the device sees them.
    Oscore {
        /// The Master Secret.
        secret: ShownSecret,
        /// The Master Salt.
        salt: String,
        /// The Sender ID of the device.
        sender_id: String,
        /// The Recipient ID of the device.
        recipient_id: String,
    },
}

/// A secret on its way to the operator. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShownSecret(pub String);

impl fmt::Debug for ShownSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ShownSecret")
    }
}
