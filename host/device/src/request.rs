//! The CoAP request of a device command.

use ciborium::Value;
use secrecy::{ExposeSecret, SecretString};

use super::proxy_uri::{Endpoint, Homeserver};
use super::usage::UsageError;
use coap::Message;
use coap::code::{GET, POST, PUT};
use coap::option::{ACCESS_TOKEN, CONTENT_FORMAT, PROXY_URI, URI_PATH, content_format};

/// RFC 7252 §5.10: the longest Uri-Path segment.
const MAX_SEGMENT: usize = 255;

/// A resource of the gateway, and the parameters of the request.
#[derive(Debug)]
pub(super) enum Resource {
    Register {
        user: String,
        password: SecretString,
    },
    Login {
        user: String,
        password: SecretString,
    },
    Join {
        room: String,
    },
    Send {
        room: String,
        text: String,
        txn_id: Option<String>,
    },
    Getmsg {
        room: String,
    },
    Time,
    Logout {
        all: bool,
    },
}

/// The request of a command, the same in every repetition.
#[derive(Debug)]
pub(super) struct DeviceRequest {
    pub(super) resource: Resource,
    /// None: the gateway's default, and no Proxy-Uri.
    pub(super) homeserver: Option<Homeserver>,
    pub(super) token: Option<SecretString>,
}

impl DeviceRequest {
    /// The CoAP request. `new_txn_id` is the transaction id if the Proxy-Uri needs one and the command line has none.
    ///
    /// There is no Uri-Host: the devices of 2021 send none, and the gateway serves one host.
    pub(super) fn message(&self, new_txn_id: &str) -> Result<Message, UsageError> {
        let resource = &self.resource;
        let (method, path, payload) = match resource {
            Resource::Register { user, password } => {
                (POST, "register", Some(registration(user, password)))
            }
            Resource::Login { user, password } => (POST, "login", Some(login(user, password))),
            Resource::Join { .. } => (POST, "join", None),
            Resource::Send { text, .. } => (PUT, "send", Some(text_message(text))),
            Resource::Getmsg { .. } => (GET, "getmsg", None),
            Resource::Time => (GET, "time", None),
            Resource::Logout { .. } => (POST, "logout", None),
        };
        let mut message = Message::new(method).with_option(URI_PATH, path);
        let room_and_txn = resource.room_and_txn()?;
        match &self.homeserver {
            Some(homeserver) => {
                if let Some(endpoint) = resource.endpoint(new_txn_id) {
                    message.push_option(PROXY_URI, homeserver.proxy_uri(endpoint)?);
                }
            }
            None => room_and_txn
                .into_iter()
                .for_each(|segment| message.push_option(URI_PATH, segment)),
        }
        if let Some(payload) = payload {
            message.push_uint_option(CONTENT_FORMAT, content_format::CBOR.into());
            message.payload = payload;
        }
        if let Some(token) = &self.token {
            message.push_option(ACCESS_TOKEN, token.expose_secret());
        }
        Ok(message)
    }

    /// The values that must not be printed, wherever they occur.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let password = match &self.resource {
            Resource::Register { password, .. } | Resource::Login { password, .. } => {
                Some(password)
            }
            _ => None,
        };
        password
            .into_iter()
            .chain(&self.token)
            .map(ExposeSecret::expose_secret)
            .collect()
    }
}

impl Resource {
    /// Whether the response has an access token.
    pub(super) fn returns_token(&self) -> bool {
        matches!(self, Self::Register { .. } | Self::Login { .. })
    }

    fn endpoint<'a>(&'a self, new_txn_id: &'a str) -> Option<Endpoint<'a>> {
        Some(match self {
            Self::Register { .. } => Endpoint::Register,
            Self::Login { .. } => Endpoint::Login,
            Self::Join { room } => Endpoint::Join { room },
            Self::Send { room, txn_id, .. } => Endpoint::Send {
                room,
                txn_id: txn_id.as_deref().unwrap_or(new_txn_id),
            },
            Self::Getmsg { room } => Endpoint::Messages { room },
            Self::Time => return None,
            Self::Logout { all: false } => Endpoint::Logout,
            Self::Logout { all: true } => Endpoint::LogoutAll,
        })
    }

    /// The Uri-Path segments after the resource's name, without a Proxy-Uri.
    fn room_and_txn(&self) -> Result<Vec<&str>, UsageError> {
        let (room, txn_id) = match self {
            Self::Join { room } | Self::Getmsg { room } => (room, None),
            Self::Send { room, txn_id, .. } => (room, txn_id.as_ref()),
            _ => return Ok(Vec::new()),
        };
        let mut segments = vec![checked_segment("room", room)?];
        if let Some(txn_id) = txn_id {
            segments.push(checked_segment("transaction id", txn_id)?);
        }
        Ok(segments)
    }
}

fn checked_segment<'a>(name: &'static str, segment: &'a str) -> Result<&'a str, UsageError> {
    let problem = match segment {
        "" => "is empty",
        "." | ".." => "would change the path",
        _ if segment.len() > MAX_SEGMENT => "is longer than 255 bytes",
        _ if segment.chars().any(char::is_control) => "has control characters",
        _ => return Ok(segment),
    };
    Err(UsageError::PathSegment { name, problem })
}

fn registration(user: &str, password: &SecretString) -> Vec<u8> {
    encode(&map([
        ("username", user.into()),
        ("password", password.expose_secret().into()),
        ("auth", map([("type", "m.login.dummy".into())])),
    ]))
}

fn login(user: &str, password: &SecretString) -> Vec<u8> {
    encode(&map([
        ("type", "m.login.password".into()),
        (
            "identifier",
            map([("type", "m.id.user".into()), ("user", user.into())]),
        ),
        ("password", password.expose_secret().into()),
    ]))
}

fn text_message(text: &str) -> Vec<u8> {
    encode(&map([("msgtype", "m.text".into()), ("body", text.into())]))
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect(),
    )
}

/// The bytes of a CBOR value. Writing to a vector cannot fail.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = ciborium::into_writer(value, &mut bytes);
    debug_assert!(written.is_ok());
    bytes
}
