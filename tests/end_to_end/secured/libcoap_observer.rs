//! An observation by libcoap's client.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::{PATIENCE, Stage};

/// A device that observes its room, and begins again if its handshake or its request has failed.
struct Observer<'a> {
    program: &'a Path,
    words: Vec<String>,
    file: PathBuf,
    process: Child,
}

impl<'a> Observer<'a> {
    fn start(stage: &Stage, program: &'a Path, gateway: &str, device: &[&str]) -> Self {
        let uri = format!("{gateway}/getmsg/{}", stage.room.room_id);
        let observe = ["-s", "600", "-B", "600", "-w", "-A", "0", &uri];
        let words = device.iter().chain(&observe).map(|word| (*word).to_owned());
        let words: Vec<String> = words.collect();
        let file = stage.scratch.path().join("observed");
        Self {
            process: run(program, &words, &file),
            program,
            words,
            file,
        }
    }

    #[track_caller]
    fn until(&mut self, end: &str) {
        let began = Instant::now();
        while !std::fs::read_to_string(&self.file).is_ok_and(|said| said.contains(end)) {
            let program = self.program.display();
            assert!(began.elapsed() < PATIENCE, "{program} observes no {end:?}");
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                self.process = run(self.program, &self.words, &self.file);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Observer<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(program: &Path, words: &[String], file: &Path) -> Child {
    Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(File::create(file).expect("the folder is the test's"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the program is there")
}

/// Observes the room, whose last message is `body`, and two more messages. `device` has what the device proves itself
/// with.
#[track_caller]
pub fn observes(stage: &Stage, program: &Path, gateway: &str, device: &[&str], body: &str) {
    let room = &stage.room;
    let mut observer = Observer::start(stage, program, gateway, device);
    observer.until(&body[body.len() - 20..]);
    for text in ["first", "second"] {
        room.person
            .send(&room.room_id, &json!({ "msgtype": "m.text", "body": text }));
        observer.until(text);
    }
}
