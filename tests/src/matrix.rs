//! The Matrix client API as a person's client uses it: the events in a room besides the device's.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

/// No response takes this long, even on a busy test machine.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// A homeserver, by its client API.
#[derive(Debug, Clone)]
pub struct Homeserver {
    origin: String,
    client: Client,
}

/// An account with an access token.
#[derive(Debug, Clone)]
pub struct Account {
    /// `@name:server`.
    pub user_id: String,
    /// Its local part.
    pub name: String,
    /// Its password.
    pub password: String,
    /// A token of a device of its own.
    pub access_token: String,
    homeserver: Homeserver,
}

impl Homeserver {
    /// The server at `origin`.
    pub fn new(origin: &str) -> Self {
        // Each client asks for a provider, also for plain HTTP; a second call finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(CALL_LIMIT)
            .no_proxy()
            .build()
            .expect("a plain client");
        Self {
            origin: origin.to_owned(),
            client,
        }
    }

    /// Whether it responds to `GET /_matrix/client/versions`.
    pub fn responds(&self) -> bool {
        let url = format!("{}/_matrix/client/versions", self.origin);
        self.client
            .get(url)
            .send()
            .is_ok_and(|response| response.status().is_success())
    }

    /// Registers a new account whose name begins with `prefix`
    /// (`POST /_matrix/client/v3/register`, dummy stage).
    pub fn register(&self, prefix: &str) -> Account {
        self.register_as(&format!("{prefix}{}", next_number()))
    }

    /// Registers the account `name`, which must be free, with a password made from it.
    pub fn register_as(&self, name: &str) -> Account {
        let password = format!("password of {name}");
        let body =
            json!({ "username": name, "password": password, "auth": { "type": "m.login.dummy" } });
        let request = self.client.post(self.url("register")).json(&body);
        let response = done(request, "register");
        Account {
            user_id: text(&response, "user_id"),
            access_token: text(&response, "access_token"),
            name: name.to_owned(),
            password,
            homeserver: self.clone(),
        }
    }

    /// The response to `GET /_matrix/client/v3/account/whoami`: status and body.
    pub fn whoami(&self, access_token: &str) -> (u16, Value) {
        let response = self
            .client
            .get(self.url("account/whoami"))
            .bearer_auth(access_token)
            .send();
        let response = response.unwrap_or_else(|error| panic!("whoami: {error}"));
        (
            response.status().as_u16(),
            response.json().unwrap_or_default(),
        )
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_matrix/client/v3/{path}", self.origin)
    }
}

impl Account {
    /// Creates a private room (`POST createRoom`); the server's default version if `version` is none.
    pub fn create_room(&self, version: Option<&str>) -> String {
        let mut body = json!({ "preset": "private_chat" });
        if let Some(version) = version {
            body["room_version"] = json!(version);
        }
        text(&self.post("createRoom", &body), "room_id")
    }

    /// The version of a room, from its creation event.
    pub fn room_version(&self, room_id: &str) -> String {
        let path = format!("rooms/{}/state/m.room.create", encoded(room_id));
        text(
            &done(
                self.homeserver
                    .client
                    .get(self.url(&path))
                    .bearer_auth(&self.access_token),
                &path,
            ),
            "room_version",
        )
    }

    /// Invites a user (`POST rooms/{roomId}/invite`).
    pub fn invite(&self, room_id: &str, user_id: &str) {
        self.post(
            &format!("rooms/{}/invite", encoded(room_id)),
            &json!({ "user_id": user_id }),
        );
    }

    /// Joins a room.
    pub fn join(&self, room_id: &str) {
        self.post(&format!("rooms/{}/join", encoded(room_id)), &json!({}));
    }

    /// Sends an `m.room.message` event; returns its event_id.
    pub fn send(&self, room_id: &str, content: &Value) -> String {
        let txn_id = next_number();
        let path = format!(
            "rooms/{}/send/m.room.message/person{txn_id}",
            encoded(room_id)
        );
        let request = self
            .homeserver
            .client
            .put(self.url(&path))
            .bearer_auth(&self.access_token)
            .json(content);
        text(&done(request, &path), "event_id")
    }

    /// Redacts an event (`PUT rooms/{roomId}/redact/{eventId}/{txnId}`).
    pub fn redact(&self, room_id: &str, event_id: &str) {
        // Synapse goes by the transaction id alone, for any event.
        let txn_id = next_number();
        let (room, event) = (encoded(room_id), encoded(event_id));
        let path = format!("rooms/{room}/redact/{event}/person{txn_id}");
        let request = self.homeserver.client.put(self.url(&path));
        done(
            request.bearer_auth(&self.access_token).json(&json!({})),
            &path,
        );
    }

    /// The contents of the room's `m.room.message` events, newest first, at most 50, each with its `sender`.
    pub fn messages(&self, room_id: &str) -> Vec<Value> {
        let path = format!("rooms/{}/messages?dir=b&limit=50", encoded(room_id));
        let response = done(
            self.homeserver
                .client
                .get(self.url(&path))
                .bearer_auth(&self.access_token),
            &path,
        );
        let events = response["chunk"].as_array().cloned().unwrap_or_default();
        let of_messages = events
            .into_iter()
            .filter(|event| event["type"] == "m.room.message");
        of_messages
            .map(|event| {
                let mut content = event["content"].clone();
                content["sender"] = event["sender"].clone();
                content["event_id"] = event["event_id"].clone();
                content
            })
            .collect()
    }

    /// The contents of all `m.room.message` events of the room, newest first, page by page.
    pub fn all_messages(&self, room_id: &str) -> Vec<Value> {
        let (mut messages, mut from) = (Vec::new(), String::new());
        loop {
            let path = format!("rooms/{}/messages?dir=b&limit=500{from}", encoded(room_id));
            let request = self.homeserver.client.get(self.url(&path));
            let response = done(request.bearer_auth(&self.access_token), &path);
            let events = response["chunk"].as_array().cloned().unwrap_or_default();
            let of_messages = events
                .iter()
                .filter(|event| event["type"] == "m.room.message");
            messages.extend(of_messages.map(|event| event["content"].clone()));
            match response["end"].as_str() {
                Some(end) if !events.is_empty() => from = format!("&from={}", encoded(end)),
                _ => return messages,
            }
        }
    }

    /// The response to a GET of a path of the client API; it must be of class 2.
    pub fn get(&self, path: &str) -> Value {
        let request = self.homeserver.client.get(self.url(path));
        done(request.bearer_auth(&self.access_token), path)
    }

    /// A medium's Content-Type and bytes (`GET /_matrix/client/v1/media/download/SERVER/ID`).
    pub fn download(&self, medium: &str) -> (String, Vec<u8>) {
        let origin = &self.homeserver.origin;
        let url = format!("{origin}/_matrix/client/v1/media/download/{medium}");
        let request = self.homeserver.client.get(url);
        let response = request.bearer_auth(&self.access_token).send();
        let response = response.unwrap_or_else(|error| panic!("download: {error}"));
        assert!(response.status().is_success(), "{medium}: {response:?}");
        let content_type = response.headers()["content-type"].to_str();
        let content_type = content_type.expect("it is text").to_owned();
        let content = response.bytes().expect("it arrives").to_vec();
        (content_type, content)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        done(
            self.homeserver
                .client
                .post(self.url(path))
                .bearer_auth(&self.access_token)
                .json(body),
            path,
        )
    }

    /// The address of a path of the client API.
    pub fn url(&self, path: &str) -> String {
        self.homeserver.url(path)
    }
}

fn done(request: RequestBuilder, what: &str) -> Value {
    let response = request
        .send()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let status = response.status();
    let body = response.text().unwrap_or_default();
    assert!(status.is_success(), "{what}: {status} {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{what}: {error} in {body}"))
}

fn text(response: &Value, field: &str) -> String {
    response[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {response}"))
        .to_owned()
}

/// A number that this process has not had before, for names and transaction ids.
pub fn next_number() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// A path segment in percent-encoding (RFC 3986 §2.1), strict enough for room and event ids.
pub fn encoded(segment: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    segment.bytes().map(byte).collect()
}
