//! A homeserver with users, for devices that log in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::stub::{Reaction, Received, Stub};

/// Its state, which the test shares.
#[derive(Clone, Default)]
pub struct Homeserver(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Users by their tokens.
    users: BTreeMap<String, String>,
    logins: usize,
    /// Whether it responds to nothing about rooms.
    is_away: bool,
    /// User and text of each message that it has taken, in their order.
    messages: Vec<(String, String)>,
}

impl Homeserver {
    /// A stub that plays it.
    pub fn stub(&self) -> Stub {
        let own = self.clone();
        Stub::start(move |received| own.react(received))
    }

    fn react(&self, received: &Received) -> Reaction {
        let mut state = self.0.lock().expect("nobody panics with it");
        let body: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        let path = received.target.split('?').next().unwrap_or_default();
        if state.is_away && path.contains("/rooms/") {
            return Reaction::Close;
        }
        if path.ends_with("/login") {
            let user = format!("@{}:h", body["identifier"]["user"].as_str().unwrap_or(""));
            state.logins += 1;
            let token = format!("syt_{}", state.logins);
            let response = serde_json::json!({"user_id": user, "access_token": token});
            state.users.insert(token, user);
            return Reaction::Json(200, response.to_string());
        }
        let token = received.header("authorization").unwrap_or_default();
        let token = token.trim_start_matches("Bearer ").to_owned();
        let Some(user) = state.users.get(&token).cloned() else {
            let unknown = r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token"}"#;
            return Reaction::Json(401, unknown.to_owned());
        };
        if path.ends_with("/logout") {
            state.users.remove(&token);
        }
        if path.contains("/send/") {
            let text = body["body"].as_str().unwrap_or_default().to_owned();
            state.messages.push((user, text));
            return Reaction::Json(200, r#"{"event_id":"$e"}"#.to_owned());
        }
        let body = match path.rsplit('/').next() {
            Some("messages") => serde_json::json!({"chunk": [], "start": "s"}),
            Some("whoami") => serde_json::json!({ "user_id": user }),
            _ => serde_json::json!({}),
        };
        Reaction::Json(200, body.to_string())
    }

    /// User and text of each message that it has taken, in their order.
    pub fn messages(&self) -> Vec<(String, String)> {
        let state = self.0.lock().expect("nobody panics with it");
        state.messages.clone()
    }

    /// A user has this token, without a login.
    pub fn add_token(&self, token: &str, user: &str) {
        let mut state = self.0.lock().expect("nobody panics with it");
        state.users.insert(token.to_owned(), user.to_owned());
    }

    /// All tokens end, as if their users had changed their passwords.
    pub fn end_all_tokens(&self) {
        let mut state = self.0.lock().expect("nobody panics with it");
        state.users.clear();
    }

    /// Its rooms go away, or come back. Devices can log in nevertheless.
    pub fn set_away(&self, is_away: bool) {
        let mut state = self.0.lock().expect("nobody panics with it");
        state.is_away = is_away;
    }
}
