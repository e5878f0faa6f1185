//! A gateway that takes each message over at once, and a homeserver whose mood tests change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coap::{Message, code, option};
use serde_json::Value;

use crate::exchange::request;
use crate::running_gateway::Running;
use crate::scratch;
use crate::stub::{Reaction, Stub};

/// The access token of the device.
pub const TOKEN: &str = "syt_secret_of_the_device";

/// A gateway that takes each message over at once, and its homeserver.
pub struct Stage {
    pub running: Running,
    pub stub: Stub,
    mood: Arc<Mutex<Mood>>,
}

/// What the homeserver does with a message.
#[derive(Clone, Copy)]
pub enum Mood {
    /// It takes it.
    Well,
    /// It asks for a pause of ten minutes.
    Busy,
    /// It refuses it.
    Refusing,
    /// It does not know the access token.
    Forgetful,
    /// It says nothing.
    Silent,
}

impl Mood {
    fn react(self) -> Reaction {
        match self {
            Self::Well => Reaction::Json(200, r#"{"event_id":"$e"}"#.into()),
            Self::Busy => Reaction::Json(
                429,
                r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":600000}"#.into(),
            ),
            Self::Refusing => {
                let error = r#"{"errcode":"M_FORBIDDEN","error":"not in the room"}"#;
                Reaction::Json(403, error.into())
            }
            Self::Forgetful => Reaction::Json(401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#.into()),
            Self::Silent => Reaction::Silence,
        }
    }
}

/// The account of the device, or its room without an event.
fn search(target: &str) -> Reaction {
    Reaction::Json(
        200,
        match target.ends_with("/whoami") {
            true => r#"{"user_id":"@a:h"}"#.into(),
            false => r#"{"chunk":[]}"#.into(),
        },
    )
}

impl Stage {
    pub fn start(test: &str, mood: Mood) -> Self {
        Self::with(test, mood, |_| "")
    }

    /// The same, with more of a configuration, which `prepare` makes in the folder.
    pub fn with(test: &str, mood: Mood, prepare: impl FnOnce(&Path) -> &'static str) -> Self {
        Self::launch(test, mood, prepare, Running::launch)
    }

    /// The same, after this preparation in a mount namespace of its own.
    pub fn after(preparation: &str, test: &str, mood: Mood) -> Self {
        let launch = |folder, args: &[&str]| Running::launch_after(preparation, folder, args);
        Self::launch(test, mood, |_| "", launch)
    }

    fn launch(
        test: &str,
        mood: Mood,
        prepare: impl FnOnce(&Path) -> &'static str,
        launch: impl FnOnce(PathBuf, &[&str]) -> Running,
    ) -> Self {
        let mood = Arc::new(Mutex::new(mood));
        let stub = Stub::start({
            let mood = mood.clone();
            move |received| {
                let mood = *mood.lock().expect("nobody panics with it");
                match mood {
                    // What may have been sent before is searched for.
                    Mood::Well if received.method == "GET" => search(&received.target),
                    _ => mood.react(),
                }
            }
        });
        let folder = scratch::folder(test);
        let more = prepare(&folder);
        let configuration = format!("[outbox]\nmode = \"always\"\n{more}");
        fs::write(folder.join("gateway.toml"), configuration).expect("the folder is the test's");
        let url = stub.url().to_string();
        let args = ["--homeserver", &url, "--control-socket", "control.sock"];
        let args = [
            &args[..],
            &["--state-dir", "state", "--admin", "admin.sock"],
        ]
        .concat();
        Self {
            running: launch(folder, &args),
            stub,
            mood,
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().expect("nobody panics with it") = mood;
    }

    /// Sends a message, which is taken over. Returns its short id.
    pub fn send(&mut self, path: &str, text: &str) -> String {
        let response = self.running.exchange(message(path, text));
        assert_eq!(response.code, code::CHANGED, "{response:?}");
        let response = String::from_utf8(response.payload).expect("it is JSON");
        let (_, id) = response
            .split_once(r#"{"queued":""#)
            .unwrap_or_else(|| panic!("{response}"));
        id[..12].to_owned()
    }

    /// A command that succeeds.
    pub fn outbox(&self, args: &[&str]) -> String {
        let (code, said) = self.running.outbox(args);
        assert_eq!(code, 0, "{args:?}: {said}");
        said
    }

    /// A command that is refused.
    pub fn refused(&self, args: &[&str]) -> String {
        let (code, said) = self.running.outbox(args);
        assert_eq!(code, 1, "{args:?}: {said}");
        said
    }

    pub fn list(&self, args: &[&str]) -> Value {
        let said = self.outbox(&[&["list", "--json"], args].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// Waits until the list is like this.
    pub fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let list = self.list(&[]);
            if is_so(&list) {
                return list;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{what}: {list}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The texts that the homeserver has taken, as it got them.
    pub fn texts(&self) -> Vec<String> {
        let received = self.stub.received().into_iter();
        received
            .filter_map(|one| {
                let content: Value = serde_json::from_slice(&one.body).ok()?;
                Some(content["body"].as_str()?.to_owned())
            })
            .collect()
    }
}

fn message(path: &str, text: &str) -> Message {
    request(code::PUT, path)
        .with_uint_option(option::CONTENT_FORMAT, 0)
        .with_uint_option(option::ACCEPT, 50)
        .with_option(option::ACCESS_TOKEN, TOKEN)
        .with_payload(text)
}

/// The ids in a list.
pub fn ids(list: &Value) -> Vec<&str> {
    let records = list["records"].as_array().expect("it is an array");
    let ids = records.iter().map(|record| record["id"].as_str());
    ids.map(|id| id.expect("it is text")).collect()
}
