//! A device with a key logs in once, at Synapse, and sends from then on without a token.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::{Scratch, workspace};
use serde_json::{Value, json};

use crate::stage::{Room, synapse};

/// A gateway that is started again in the same folder.
struct Stage {
    folder: Scratch,
    gateway: Gateway,
}

impl Stage {
    fn start() -> Self {
        let folder = Scratch::new("sessions");
        let gateway = Self::launch(folder.path());
        Self { folder, gateway }
    }

    fn launch(folder: &Path) -> Gateway {
        let socket = folder.join("control.sock").display().to_string();
        let args = ["--homeserver", &synapse().origin, "--coaps", "127.0.0.1:0"];
        Gateway::start_at(
            folder,
            &[&args[..], &["--control-socket", &socket]].concat(),
        )
    }

    fn restart(&mut self) {
        self.gateway.terminate();
        self.gateway.wait();
        fs::remove_file(self.gateway.log_file()).expect("it has a log");
        self.gateway = Self::launch(self.folder.path());
    }

    /// What a command about devices prints.
    fn devices(&self, args: &[&str]) -> String {
        let output = Command::new(gateway::binary())
            .arg("devices")
            .arg("--control-socket")
            .arg(self.folder.path().join("control.sock"))
            .args(args)
            .output()
            .expect("the gateway's program starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        said
    }

    fn enrolled(&self, args: &[&str]) -> Value {
        let said = self.devices(&[args, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// A request over `coaps` by libcoap with OpenSSL: what it prints.
    fn over_coaps(&self, key: &str, path: &str, args: &[&str]) -> String {
        let log = self.gateway.log_until("listening on coaps://");
        let (_, after) = log
            .rsplit_once("listening on coaps://")
            .expect("coaps is open");
        let address = after.split_whitespace().next().unwrap_or_default();
        let output = Command::new("coap-client-openssl")
            .args(["-B", "20", "-u", "sensor", "-k", key])
            .args(args)
            .arg(format!("coaps://{address}/{path}"))
            .stdin(Stdio::null())
            .output()
            .expect("libcoap3-bin is installed");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// A request with OSCORE by aiocoap, whose sequence numbers are in this folder: what it prints.
    fn over_oscore(&self, secret: &Value, path: &str, args: &[&str]) -> String {
        let own = self.folder.path().join("sensor");
        let credentials = self.folder.path().join("sensor.json");
        if !own.is_dir() {
            fs::create_dir(&own).expect("the folder is the test's");
            let settings = json!({
                "sender-id_hex": secret["sender_id"], "recipient-id_hex": secret["recipient_id"],
                "secret_hex": secret["secret"], "salt_hex": secret["salt"],
            });
            fs::write(own.join("settings.json"), settings.to_string()).expect("it is the test's");
        }
        let origin = format!("coap://{}", self.gateway.address);
        let basedir = format!("{}/", own.display());
        let pattern = format!("{origin}/*");
        let context = json!({ pattern: { "oscore": { "basedir": basedir } } });
        fs::write(&credentials, context.to_string()).expect("the folder is the test's");
        let output = Command::new(workspace().join("target/venv/bin/aiocoap-client"))
            .arg("--credentials")
            .arg(&credentials)
            .args(args)
            .arg(format!("{origin}/{path}"))
            .stdin(Stdio::null())
            .output()
            .expect("cargo xtask setup installs aiocoap");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

#[test]
fn a_device_logs_in_once_over_coaps_and_sends_20_bytes_after_a_restart_and_by_oscore_until_it_logs_out()
 {
    let room = Room::new();
    let mut stage = Stage::start();
    let enrolled = stage.enrolled(&["add", "sensor", "--psk"]);
    let key = enrolled["psk"]["key"].as_str().expect("a key").to_owned();
    let path = format!("send/{}", room.room_id);
    let send = |stage: &Stage, text: &str| {
        let args = ["-m", "put", "-t", "0", "-A", "50", "-e", text];
        stage.over_coaps(&key, &path, &args)
    };
    let refused = send(&stage, "nobody has logged in");
    assert!(refused.contains("4.01"), "{refused}");
    let login = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": room.device.name },
        "password": room.device.password,
    });
    let args = [
        "-m",
        "post",
        "-t",
        "50",
        "-A",
        "50",
        "-b",
        "64",
        "-e",
        &login.to_string(),
    ];
    let said = stage.over_coaps(&key, "login", &args);
    assert!(said.contains("access_token"), "{said}");
    let said = send(&stage, "20 bytes of a sensor");
    assert!(said.contains("event_id"), "{said}");
    assert_eq!(room.newest(), "20 bytes of a sensor");
    stage.restart();
    let said = send(&stage, "still 20 bytes of it");
    assert!(said.contains("event_id"), "{said}");
    assert_eq!(room.newest(), "still 20 bytes of it");
    let shown = stage.devices(&["show", "sensor"]);
    assert!(
        shown.contains(&format!("logged in as {}", room.device.user_id)),
        "{shown}"
    );

    let secret = stage.enrolled(&["rotate", "sensor", "--oscore"])["oscore"].clone();
    let put = |text: &str| {
        let args = ["-m", "PUT", "--content-format", "0", "--payload", text];
        args.map(str::to_owned)
    };
    let oscore = |stage: &Stage, args: &[String], path: &str| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stage.over_oscore(&secret, path, &args)
    };
    let said = oscore(&stage, &put("20 bytes of a secret"), &path);
    assert_eq!(room.newest(), "20 bytes of a secret", "{said}");
    stage.restart();
    let said = oscore(&stage, &put("and after its restart"), &path);
    assert_eq!(room.newest(), "and after its restart", "{said}");
    let said = oscore(&stage, &["-m", "POST"].map(str::to_owned), "logout");
    assert!(!said.contains("4.0"), "{said}");
    let said = oscore(&stage, &put("after the logout"), &path);
    assert!(said.contains("4.01"), "{said}");
    assert_eq!(room.newest(), "and after its restart");
    let shown = stage.devices(&["show", "sensor"]);
    assert!(!shown.contains("logged in"), "{shown}");
}
