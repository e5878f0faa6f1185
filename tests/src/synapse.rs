//! A real Synapse on SQLite, in a folder of its own, on the loopback address.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::matrix::Homeserver;
use crate::places::{self, Scratch};
use crate::supervised::Supervised;

/// Synapse needs about 4 s on an idle machine; tests share two cores.
const START_LIMIT: Duration = Duration::from_secs(120);

/// It ends its requests first.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How many requests Synapse lets an account make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimits {
    /// So many that tests do not meet them.
    Raised,
    /// Synapse's defaults: 0.2 messages per second after a burst of 10, and so on.
    SynapseDefault,
}

/// A running Synapse; it ends with this value.
#[derive(Debug)]
pub struct Synapse {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    /// None while it is stopped.
    process: Option<Supervised>,
    folder: Folder,
}

#[derive(Debug)]
enum Folder {
    Own(Scratch),
    SensitiveInputs(PathBuf),
}

impl Folder {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Own(scratch) => scratch.path(),
            Self::SensitiveInputs(path) => path,
        }
    }
}

impl Synapse {
    /// Starts one and waits until it responds.
    pub fn start(rate_limits: RateLimits) -> Self {
        Self::start_in(Folder::Own(Scratch::new("synapse")), rate_limits)
    }

    /// Starts one with its database and log in `folder`, which must be there.
    pub fn start_at(folder: PathBuf, rate_limits: RateLimits) -> Self {
        Self::start_in(Folder::SensitiveInputs(folder), rate_limits)
    }

    fn start_in(folder: Folder, rate_limits: RateLimits) -> Self {
        let port = free_port();
        let config = folder.path().join("homeserver.yaml");
        // JSON is YAML.
        let text = configuration(folder.path(), port, rate_limits).to_string();
        fs::write(&config, text).unwrap_or_else(|error| panic!("{}: {error}", config.display()));
        let mut synapse = Self {
            origin: format!("http://127.0.0.1:{port}"),
            process: None,
            folder,
        };
        synapse.start_again();
        synapse
    }

    /// Starts its process, and waits until it responds.
    pub fn start_again(&mut self) {
        let folder = self.folder.path();
        let arguments = ["-m", "synapse.app.homeserver", "-c", "homeserver.yaml"];
        let log = folder.join("synapse.log");
        self.process = Some(Supervised::start(
            &places::python(),
            &arguments,
            folder,
            &log,
        ));
        self.wait_until_ready();
    }

    /// Ends its process, with SIGTERM or with SIGKILL; its rooms stay.
    pub fn stop(&mut self, with_kill: bool) {
        if let Some(mut process) = self.process.take() {
            if with_kill {
                process.kill();
            } else {
                process.terminate();
            }
            let ended = process.wait(STOP_LIMIT);
            assert!(ended.is_some(), "Synapse does not end");
        }
    }

    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        while !self.homeserver().responds() {
            let ended = self.process.as_mut().and_then(Supervised::ended);
            if ended.is_some() || started.elapsed() > START_LIMIT {
                let log =
                    fs::read_to_string(self.folder.path().join("synapse.log")).unwrap_or_default();
                let end = log
                    .char_indices()
                    .rev()
                    .nth(3000)
                    .map_or(0, |(index, _)| index);
                panic!(
                    "Synapse is not ready (exit status {ended:?}); its log ends:\n{}",
                    &log[end..]
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The Matrix client API of this server.
    pub fn homeserver(&self) -> Homeserver {
        Homeserver::new(&self.origin)
    }
}

/// A port that nobody listens on. Somebody else might take it before Synapse does: then Synapse says so and ends.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("the loopback address has a free port")
        .port()
}

fn configuration(folder: &std::path::Path, port: u16, rate_limits: RateLimits) -> Value {
    let mut config = json!({
        "server_name": "localhost",
        "report_stats": false,
        "pid_file": folder.join("synapse.pid"),
        "listeners": [{
            "port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": false,
            "resources": [{ "names": ["client"], "compress": true }],
        }],
        "database": { "name": "sqlite3", "args": { "database": folder.join("homeserver.db") } },
        "media_store_path": folder.join("media"),
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "trusted_key_servers": [],
        "suppress_key_server_warning": true,
        "federation_domain_whitelist": [],
        // Nobody federates with this server, so its key and secrets protect nothing.
        "signing_key": "ed25519 test AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "macaroon_secret_key": "end-to-end tests",
        "form_secret": "end-to-end tests",
        // The lowest cost there is: no test is about the cost of bcrypt.
        "bcrypt_rounds": 4,
    });
    if rate_limits == RateLimits::Raised {
        let plenty = json!({ "per_second": 10_000, "burst_count": 10_000 });
        for name in [
            "rc_message",
            "rc_registration",
            "rc_3pid_validation",
            "rc_admin_redaction",
            "rc_room_creation",
        ] {
            config[name] = plenty.clone();
        }
        config["rc_login"] =
            json!({ "address": plenty, "account": plenty, "failed_attempts": plenty });
        config["rc_joins"] = json!({ "local": plenty, "remote": plenty });
        config["rc_joins_per_room"] = plenty.clone();
        config["rc_invites"] =
            json!({ "per_room": plenty, "per_user": plenty, "per_issuer": plenty });
    }
    config
}
