//! The rooms of a soak, and their messages at Synapse in the end.

use std::collections::HashMap;

use coap::Message;
use coap::option::{ACCESS_TOKEN, URI_PATH};
use comatrix_tests::matrix::{Account, Homeserver};
use serde_json::json;

/// Rooms, each with the account that its devices use.
pub struct Rooms(Vec<(Account, String)>);

/// How often each body is there, by room and body.
pub type Read = HashMap<(usize, String), u64>;

impl Rooms {
    /// Makes them, each with a first message, so that there is something to read.
    pub fn make(homeserver: &Homeserver, count: usize) -> Self {
        let make = |_| {
            let account = homeserver.register("soak");
            let room_id = account.create_room(None);
            account.send(&room_id, &json!({ "msgtype": "m.text", "body": "first" }));
            (account, room_id)
        };
        Self((0..count).map(make).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A request with the room in its Uri-Path, and the account's token.
    pub fn addressed(&self, request: Message, room: usize) -> Message {
        let (account, room_id) = &self.0[room];
        request
            .with_option(URI_PATH, room_id.as_str())
            .with_option(ACCESS_TOKEN, account.access_token.as_str())
    }

    /// The texts of every room, oldest first.
    pub fn timelines(&self) -> Vec<Vec<String>> {
        let timeline = |(account, room_id): &(Account, String)| {
            let messages = account.all_messages(room_id);
            let bodies = messages
                .iter()
                .filter_map(|message| message["body"].as_str());
            let mut bodies: Vec<String> = bodies.map(str::to_owned).collect();
            if bodies.last().is_some_and(|body| body == "first") {
                bodies.reverse();
            }
            bodies
        };
        self.0.iter().map(timeline).collect()
    }

    /// Every text message of every room but the first ones.
    pub fn read(&self) -> Read {
        let mut read = Read::new();
        for (room, (account, room_id)) in self.0.iter().enumerate() {
            for message in account.all_messages(room_id) {
                let body = message["body"].as_str().unwrap_or_default();
                if body != "first" {
                    *read.entry((room, body.to_owned())).or_default() += 1;
                }
            }
        }
        read
    }
}
