//! libcoap's clients, with DTLS by OpenSSL and by GnuTLS.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use comatrix_tests::device::{Request, TEXT};
use comatrix_tests::libcoap;
use comatrix_tests::places::on_path;
use comatrix_tests::wire::Loss;
use serde_json::json;

use super::stage::{LOSSY, PATIENCE, Stage, long_text};

/// Each request has a session of its own.
fn story(client: &str, loss: Loss) {
    let stage = Stage::start("--psk", loss);
    let program = on_path(&[client]);
    let gateway = format!("coaps://{}", stage.address());
    // A handshake and six blocks may take so many seconds.
    let key = ["-u", "kitchen", "-k", stage.key(), "-B", "100"];
    let exchange = |request: Request, more: &[&str]| {
        libcoap::request_by(&program, &gateway, &request, &[&key, more].concat())
    };
    let time = exchange(Request::new("GET", "/time"), &[]);
    assert!(
        time.code == "2.05" && time.text().parse::<u64>().is_ok(),
        "{time:?}"
    );
    let room = &stage.room;
    let body = long_text(client);
    let send = Request::new("PUT", &format!("/send/{}", room.room_id))
        .token(&room.device.access_token)
        .bytes(body.as_bytes(), Some(TEXT));
    let sent = exchange(send, &["-b", "64"]);
    assert_eq!(sent.code, "2.04", "{sent:?}");
    stage.assert_arrived_once(&body);
    let getmsg = Request::new("GET", &format!("/getmsg/{}", room.room_id))
        .token(&room.device.access_token)
        .accept(TEXT);
    let read = exchange(getmsg, &[]);
    assert_eq!((read.code.as_str(), read.text()), ("2.05", body));
    observes(&stage, client, &key);
    for path in ["path=/time", "path=/send/", "path=/getmsg/"] {
        stage.assert_named(path);
    }
}

/// A device that observes its room, and begins again if its handshake has failed.
struct Observer<'a> {
    client: &'a str,
    words: Vec<String>,
    file: PathBuf,
    process: Child,
}

impl<'a> Observer<'a> {
    fn start(stage: &Stage, client: &'a str, key: &[&str]) -> Self {
        let room = &stage.room;
        let token = format!("256,{}", room.device.access_token);
        let uri = format!("coaps://{}/getmsg/{}", stage.address(), room.room_id);
        let observe = [
            "-s", "600", "-B", "600", "-w", "-A", "0", "-O", &token, &uri,
        ];
        let words = key.iter().chain(&observe).map(|word| (*word).to_owned());
        let words: Vec<String> = words.collect();
        let file = stage.scratch.path().join("observed");
        Self {
            process: run(client, &words, &file),
            client,
            words,
            file,
        }
    }

    #[track_caller]
    fn until(&mut self, end: &str) {
        let began = Instant::now();
        while !std::fs::read_to_string(&self.file).is_ok_and(|said| said.contains(end)) {
            let client = self.client;
            assert!(began.elapsed() < PATIENCE, "{client} observes no {end:?}");
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                self.process = run(self.client, &self.words, &self.file);
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

fn run(client: &str, words: &[String], file: &Path) -> Child {
    Command::new(on_path(&[client]))
        .args(words)
        .stdin(Stdio::null())
        .stdout(File::create(file).expect("the folder is the test's"))
        .stderr(Stdio::null())
        .spawn()
        .expect("it was found on the path")
}

fn observes(stage: &Stage, client: &str, key: &[&str]) {
    let room = &stage.room;
    let mut observer = Observer::start(stage, client, key);
    let body = long_text(client);
    observer.until(&body[body.len() - 20..]);
    for text in ["first", "second"] {
        room.person
            .send(&room.room_id, &json!({ "msgtype": "m.text", "body": text }));
        observer.until(text);
    }
}

#[test]
fn libcoap_with_openssl_sends_reads_and_observes() {
    story("coap-client-openssl", Loss::NOTHING);
}

#[test]
fn libcoap_with_openssl_sends_reads_and_observes_with_one_datagram_in_five_lost() {
    story("coap-client-openssl", LOSSY);
}

#[test]
fn libcoap_with_gnutls_sends_reads_and_observes() {
    story("coap-client-gnutls", Loss::NOTHING);
}

#[test]
fn libcoap_with_gnutls_sends_reads_and_observes_with_one_datagram_in_five_lost() {
    story("coap-client-gnutls", LOSSY);
}
