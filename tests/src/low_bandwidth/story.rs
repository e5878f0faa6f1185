//! The story: a device logs in, makes and joins rooms, sends, reads, and logs out. A person is in its rooms, over HTTP.

use serde_json::{Value, json};

use super::Device;
use crate::matrix::{Account, Homeserver, encoded};

/// A message of a sensor.
pub const TEXT: &str = "22.5 degrees";

/// A device's account, its rooms, and a person who is in them.
#[derive(Debug)]
pub struct Story {
    /// The device's account.
    pub account: Account,
    /// The person.
    pub person: Account,
    /// The room that the device made; empty before.
    pub room_id: String,
    /// The access token of the device's login; empty before.
    pub access_token: String,
    homeserver: Homeserver,
}

impl Story {
    /// Makes the accounts on this homeserver.
    pub fn on(homeserver: &Homeserver) -> Self {
        Self {
            account: homeserver.register("lb"),
            person: homeserver.register("person"),
            room_id: String::new(),
            access_token: String::new(),
            homeserver: homeserver.clone(),
        }
    }

    /// All of it. Each step is checked at the homeserver.
    #[track_caller]
    pub fn tell(&mut self, device: &mut Device) {
        self.begin(device);
        self.enter_rooms(device);
        self.send_and_sync(device);
        self.change_state_and_profile(device);
        self.show_presence_in_the_room(device);
        self.end(device);
    }

    /// Asks for the versions, and logs in.
    #[track_caller]
    pub fn begin(&mut self, device: &mut Device) {
        let versions = json!({ "method": "GET", "path": "/_matrix/client/versions" });
        let versions = device.step("versions", "send", versions, "Transported");
        assert!(versions.body["versions"].is_array(), "{versions:?}");
        let login = json!({ "password": self.account.password, "device_name": "sensor" });
        let login = device.step("log in", "login", login, "LoginResponse");
        self.access_token = text(&login.body, "access_token");
        let (status, who) = self.homeserver.whoami(&self.access_token);
        assert_eq!(
            (status, &who["user_id"]),
            (200, &json!(self.account.user_id))
        );
        assert_eq!(who["device_id"], login.body["device_id"]);
    }

    /// Makes a room, invites the person, and joins a room of the person.
    #[track_caller]
    pub fn enter_rooms(&mut self, device: &mut Device) {
        let room = json!({ "preset": "private_chat", "name": "kitchen" });
        let made = device.step("create a room", "room_create", room, "RoomCreateResponse");
        self.room_id = text(&made.body, "room_id");
        let invite = json!({ "room_id": self.room_id, "user_id": self.person.user_id });
        device.step("invite", "room_invite", invite, "RoomInviteResponse");
        // Refused without the invitation: the room is private.
        self.person.join(&self.room_id);
        assert_eq!(self.state("m.room.name")["name"], "kitchen");

        let theirs = self.person.create_room(None);
        self.person.invite(&theirs, &self.account.user_id);
        let join = json!({ "room_id": theirs });
        device.step("join", "join", join, "JoinResponse");
        let members = self
            .person
            .get(&format!("rooms/{}/joined_members", encoded(&theirs)));
        assert!(
            members["joined"][&self.account.user_id].is_object(),
            "{members}"
        );
        let nothing = json!({ "timeout": 0 });
        let sync = device.step("first sync, two rooms", "sync", nothing, "SyncResponse");
        let mut rooms = [self.room_id.clone(), theirs];
        rooms.sort();
        assert_eq!(sync.rooms, rooms);
    }

    /// Sends a message, and reads one of the person.
    #[track_caller]
    pub fn send_and_sync(&mut self, device: &mut Device) {
        let content = json!({ "msgtype": "m.text", "body": TEXT });
        let message = json!({
            "room_id": self.room_id, "message_type": "m.room.message", "content": content, "tx_id": "1",
        });
        let sent = device.step("send", "room_send", message, "RoomSendResponse");
        let messages = self.person.messages(&self.room_id);
        let is_sent = |message: &&Value| message["body"] == TEXT;
        let copies: Vec<_> = messages.iter().filter(is_sent).collect();
        assert_eq!(copies.len(), 1, "{messages:?}");
        assert_eq!(copies[0]["event_id"], sent.body["event_id"]);
        assert_eq!(copies[0]["sender"], json!(self.account.user_id));

        let question = json!({ "msgtype": "m.text", "body": "Wie heiß ist „es“? 🌡" });
        let asked = self.person.send(&self.room_id, &question);
        let nothing = json!({ "timeout": 0 });
        let sync = device.step(
            "sync with a message",
            "sync",
            nothing.clone(),
            "SyncResponse",
        );
        let event = self.event_of(&sync.body, &asked);
        assert_eq!(event["content"], question);
        // As the homeserver has it: exact, and with the type that it has there.
        let original = self.person.get(&format!(
            "rooms/{}/event/{}",
            encoded(&self.room_id),
            encoded(&asked)
        ));
        assert_eq!(event["origin_server_ts"], original["origin_server_ts"]);
        let empty = device.step("sync without news", "sync", nothing, "SyncResponse");
        assert!(empty.body["next_batch"].is_string(), "{empty:?}");
    }

    /// Sets a topic and reads it, redacts the message, and sets a display name.
    #[track_caller]
    pub fn change_state_and_profile(&mut self, device: &mut Device) {
        let topic = json!({
            "room_id": self.room_id, "event_type": "m.room.topic", "content": { "topic": "Heat" },
        });
        device.step("set state", "room_put_state", topic, "RoomPutStateResponse");
        assert_eq!(self.state("m.room.topic")["topic"], "Heat");
        let topic = json!({ "room_id": self.room_id, "event_type": "m.room.topic" });
        let topic = device.step(
            "get state",
            "room_get_state_event",
            topic,
            "RoomGetStateEventResponse",
        );
        assert_eq!(topic.body, self.state("m.room.topic"));

        let messages = self.person.messages(&self.room_id);
        let sent = messages.iter().find(|message| message["body"] == TEXT);
        let event_id = text(sent.expect("it was sent"), "event_id");
        let redaction = json!({
            "room_id": self.room_id, "event_id": event_id, "reason": "wrong", "tx_id": "2",
        });
        device.step("redact", "room_redact", redaction, "RoomRedactResponse");
        let messages = self.person.messages(&self.room_id);
        let redacted = messages
            .iter()
            .find(|message| message["event_id"] == json!(event_id));
        assert!(
            redacted.is_some_and(|message| message["body"].is_null()),
            "{messages:?}"
        );

        let name = json!({ "displayname": "Thermometer" });
        device.step(
            "set display name",
            "set_displayname",
            name,
            "ProfileSetDisplayNameResponse",
        );
        let profile = self
            .person
            .get(&format!("profile/{}", encoded(&self.account.user_id)));
        assert_eq!(profile["displayname"], "Thermometer");
        let read = device.step(
            "get profile",
            "get_profile",
            json!({}),
            "ProfileGetResponse",
        );
        assert_eq!(read.body, profile);
    }

    /// Types, and marks the person's message as read.
    #[track_caller]
    pub fn show_presence_in_the_room(&mut self, device: &mut Device) {
        let typing = json!({ "room_id": self.room_id, "typing_state": true, "timeout": 30_000 });
        device.step("typing", "room_typing", typing, "RoomTypingResponse");
        let asked = self.person.messages(&self.room_id);
        let event_id = text(&asked[0], "event_id");
        let receipt = json!({ "room_id": self.room_id, "event_id": event_id });
        let class = "UpdateReceiptMarkerResponse";
        device.step("receipt", "update_receipt_marker", receipt, class);
        let seen = self.person.get("sync");
        let ephemeral = &seen["rooms"]["join"][&self.room_id]["ephemeral"]["events"];
        let of = |kind: &str| {
            let mut events = ephemeral.as_array().into_iter().flatten();
            let event = events.find(|event| event["type"] == kind);
            event.unwrap_or_else(|| panic!("no {kind} in {ephemeral}"))["content"].clone()
        };
        assert_eq!(of("m.typing")["user_ids"], json!([self.account.user_id]));
        let read = &of("m.receipt")[&event_id]["m.read"][&self.account.user_id];
        assert!(read["ts"].is_u64(), "{ephemeral}");
    }

    /// Logs out.
    #[track_caller]
    pub fn end(&mut self, device: &mut Device) {
        device.step("log out", "logout", json!({}), "LogoutResponse");
        assert_eq!(self.homeserver.whoami(&self.access_token).0, 401);
    }

    /// A state event's content in the device's room, as the person sees it.
    fn state(&self, kind: &str) -> Value {
        self.person
            .get(&format!("rooms/{}/state/{kind}", encoded(&self.room_id)))
    }

    /// An event of the device's room in a response to a sync.
    #[track_caller]
    fn event_of(&self, sync: &Value, event_id: &str) -> Value {
        let timeline = &sync["rooms"]["join"][&self.room_id]["timeline"]["events"];
        let mut events = timeline.as_array().into_iter().flatten();
        let event = events.find(|event| event["event_id"] == event_id);
        event
            .unwrap_or_else(|| panic!("no {event_id} in {sync}"))
            .clone()
    }
}

#[track_caller]
fn text(value: &Value, field: &str) -> String {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}
