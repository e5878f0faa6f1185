//! What an operator asks about devices, and what the gateway replies.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::super::credential::Method;
pub use crate::sessions::SessionLine;

/// A command of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum DevicesRequest {
    /// Enrol a device with a new secret, or with its public key.
    Add {
        /// Its name.
        name: String,
        /// How it proves itself.
        method: Method,
        /// Its public key or its CCS, as text, if it has a key pair.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
    },
    /// Enrol a device with its certificate, or give it another certificate.
    Pin {
        /// Its name.
        name: String,
        /// The certificate in DER, in hexadecimal digits.
        certificate: String,
        /// Whether the device is enrolled by it.
        is_new: bool,
    },
    /// List all devices.
    List {},
    /// One device.
    Show {
        /// Its name.
        name: String,
    },
    /// Give a device a new secret, or take its new public key.
    Rotate {
        /// Its name.
        name: String,
        /// How it proves itself from now on; none: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<Method>,
        /// Its new public key or CCS, as text, if it has a key pair.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
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
    /// The first digits of the SHA-256 of its secret, its certificate or its CCS.
    pub fingerprint: String,
    /// When it got its secret, in seconds since 1970; none if the clock was not set.
    pub enrolled: Option<u64>,
    /// When its certificate expires, in seconds since 1970; none without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
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
    /// For `coaps`: the device has all of it already.
    Certificate {
        /// The port of `coaps`; else why it is closed.
        port: Result<u16, String>,
    },
    /// For EDHOC on the plain port. Nothing of it is secret.
    Edhoc {
        /// The credential of the device.
        device: ShownCcs,
        /// That of the gateway.
        gateway: ShownCcs,
        /// Whether the gateway has made the device's from a public key: the device needs its bytes.
        is_made: bool,
    },
}

/// A credential (RFC 9528 §3.5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCcs {
    /// Its bytes, which both sides hash, in hexadecimal digits.
    pub hex: String,
    /// The same in diagnostic notation.
    pub diagnostic: String,
    /// The `kid` of its key, in hexadecimal digits.
    pub kid: String,
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
