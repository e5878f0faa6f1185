//! A running rule manager, and a gateway that serves the rules that it activates.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use coap::{Message, code};
use contract::{Effect, Failure, HeaderGrants, Message as RuleMessage, Reply as RuleReply};
use gateway::config::args::ServeArgs;
use gateway::config::{Component, RuleSpec};
use gateway::config::{ConfigError, Settings};
use gateway::control::{Reply, Requester};
use gateway::request::{Gateway, SnapshotCell, TxnKey};
use gateway::rule_manager::{ConfigReloader, ControlRequest, Event, Events, Manager, RuleStatus};
use homeserver::UpstreamSettings;
use runtime::{Engines, RuleLimits, Trust};
use tokio::sync::oneshot;

use crate::exchange::{request, response_to};
use crate::http_call::{homeserver, settings};
use crate::rule_text::RuleText;
use crate::scratch;
use crate::stub::{Reaction, Stub};

/// Rules in a folder, a manager, a gateway, and the homeserver behind it.
pub struct Stage {
    pub folder: PathBuf,
    pub events: Events,
    pub gateway: Gateway,
    /// The configuration that the next reload reads.
    pub configured: Arc<Mutex<Configured>>,
    pub stub: Stub,
    /// Whether the homeserver sends its responses.
    gate: Arc<(Mutex<bool>, Condvar)>,
}

/// The part of a configuration that tests change.
#[derive(Clone)]
pub struct Configured {
    pub rules: Vec<RuleSpec>,
    pub trust: Trust,
    pub upstreams: UpstreamSettings,
    pub disabled: Vec<String>,
}

impl Configured {
    /// The settings, as if they were read from a file.
    fn settings(&self) -> Result<Settings, ConfigError> {
        let mut settings = Settings::from_args(&ServeArgs::default())?;
        settings.rules.clone_from(&self.rules);
        settings.trust.clone_from(&self.trust);
        settings.upstreams = self.upstreams.clone();
        settings.disabled.clone_from(&self.disabled);
        settings.limits.exchange = Duration::from_secs(20);
        Ok(settings)
    }
}

/// The configuration of a rule in the folder.
pub fn spec(folder: &Path, name: &str) -> RuleSpec {
    RuleSpec {
        name: name.to_owned(),
        component: Component::File(folder.join(format!("{name}.wasm"))),
        mount: vec![name.to_owned()],
        settings: [].into(),
        allow: vec!["GET none standard /needed".parse().expect("it is a grant")],
        allow_headers: HeaderGrants::default(),
        limits: RuleLimits {
            call_time: Duration::from_secs(5),
            cpu_percent: 100,
            per_second: 1_000_000,
            ..RuleLimits::default()
        },
        require_signature: false,
    }
}

impl Stage {
    /// Starts with these rules, each with the resource `/<name>/test`.
    pub fn new(test: &str, rules: &[(&str, Vec<u8>)]) -> Self {
        Self::with(test, rules, |_| {})
    }

    /// The same, with specs changed before they are used.
    pub fn with(test: &str, rules: &[(&str, Vec<u8>)], change: impl Fn(&mut RuleSpec)) -> Self {
        Self::trusting(Trust::default(), test, rules, change)
    }

    /// The same, with these trusted keys.
    pub fn trusting(
        trust: Trust,
        test: &str,
        rules: &[(&str, Vec<u8>)],
        change: impl Fn(&mut RuleSpec),
    ) -> Self {
        let folder = scratch::folder(test);
        let mut specs = Vec::new();
        for (name, component) in rules {
            let mut spec = spec(&folder, name);
            change(&mut spec);
            fs::write(folder.join(format!("{name}.wasm")), component)
                .expect("the folder is the test's");
            specs.push(spec);
        }
        let gate = Arc::new((Mutex::new(true), Condvar::new()));
        let stub = Stub::start({
            let gate = gate.clone();
            move |_| {
                let (open, changed) = &*gate;
                let guard = open.lock().expect("nobody panics with it");
                drop(changed.wait_while(guard, |open| !*open));
                Reaction::Json(200, "{}".into())
            }
        });
        let configured = Configured {
            rules: specs,
            trust,
            upstreams: settings(vec![homeserver(stub.url(), None)]),
            disabled: Vec::new(),
        };
        let settings = configured
            .settings()
            .unwrap_or_else(|error| panic!("{error}"));
        let snapshot = settings
            .snapshot()
            .unwrap_or_else(|error| panic!("{error}"));
        let configured = Arc::new(Mutex::new(configured));
        let reloader = ConfigReloader {
            source: "the test's configuration".into(),
            read: Box::new({
                let configured = configured.clone();
                move || configured.lock().expect("nobody panics with it").settings()
            }),
            applied: Box::new(|_| {}),
        };
        let snapshots = SnapshotCell::new(snapshot);
        let (events, inbox) = mpsc::channel();
        let engines = Engines::new().unwrap_or_else(|error| panic!("{error}"));
        let rules = (settings.rules, settings.trust);
        let mut manager = Manager::new(
            engines,
            None,
            snapshots.clone(),
            rules,
            reloader,
            None,
            &events,
        );
        let failed = manager.start();
        assert!(failed.is_empty(), "{failed:?}");
        thread::spawn(move || manager.run(&inbox));
        Self {
            folder,
            events,
            gateway: Gateway::new(snapshots, TxnKey::random()),
            configured,
            stub,
            gate,
        }
    }

    /// Makes the homeserver hold its responses.
    pub fn hold_homeserver(&self) {
        self.set_gate(false);
    }

    /// Makes the homeserver send its responses.
    pub fn release_homeserver(&self) {
        self.set_gate(true);
    }

    fn set_gate(&self, open: bool) {
        *self.gate.0.lock().expect("nobody panics with it") = open;
        self.gate.1.notify_all();
    }

    /// Sends a control request to the manager, and returns its reply.
    pub async fn control(&self, request: ControlRequest) -> Reply {
        let (reply, replied) = oneshot::channel();
        let event = Event::ControlRequest(request, Requester::HangUp, reply);
        assert!(self.events.send(event).is_ok());
        replied.await.expect("the manager runs")
    }

    /// Makes the manager reload its configuration, and waits until it has.
    pub async fn reload(&self) -> Reply {
        self.control(ControlRequest::Reload {}).await
    }

    /// Changes the configuration, and reloads it.
    pub async fn reconfigure(&self, change: impl FnOnce(&mut Configured)) -> Reply {
        change(&mut self.configured.lock().expect("nobody panics with it"));
        self.reload().await
    }

    /// Swaps a rule to this component.
    pub async fn swap(&self, rule: &str, component: &[u8]) -> Reply {
        self.swap_to(rule, component, false).await
    }

    /// The same; `keep`: the gateway never rolls it back by itself.
    pub async fn swap_to(&self, rule: &str, component: &[u8], keep: bool) -> Reply {
        let file = self.folder.join("candidate.wasm");
        fs::write(&file, component).expect("the folder is the test's");
        let rule = rule.to_owned();
        self.control(ControlRequest::Swap { rule, file, keep })
            .await
    }

    /// The same, and it must serve.
    pub async fn swapped(&self, rule: &str, component: &[u8]) {
        let reply = self.swap(rule, component).await;
        assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    }

    /// A rule's status, as in `rules list`.
    pub async fn status(&self, rule: &str) -> RuleStatus {
        let Reply::Rules(rules) = self.control(ControlRequest::List {}).await else {
            panic!("it is the reply to a list")
        };
        let mut rules = rules.into_iter();
        rules
            .find(|status| status.name == rule)
            .expect("it is configured")
    }

    /// The response to `GET /<rule>/test` from a device.
    pub async fn test_from(&self, peer: &str, rule: &str) -> Message {
        response_to(
            &self.gateway,
            peer,
            request(code::GET, &format!("{rule}/test")),
        )
        .await
    }

    /// The codes of a hundred responses to `GET /<rule>/test`, to devices of nine networks in turn: by them, the
    /// gateway judges a revision.
    pub async fn hundred_calls(&self, rule: &str) -> Vec<u8> {
        let mut codes = Vec::new();
        for call in 0..100 {
            let peer = format!("192.0.{}.1:5683", call % 9);
            codes.push(self.test_from(&peer, rule).await.code);
        }
        codes
    }

    /// The response to one device, as text.
    pub async fn test(&self, rule: &str) -> String {
        let response = self.test_from("[::1]:5683", rule).await;
        String::from_utf8_lossy(&response.payload).into_owned()
    }

    /// Waits until a rule's status fits.
    pub async fn until(&self, rule: &str, wanted: impl Fn(&RuleStatus) -> bool) -> RuleStatus {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.status(rule).await;
            if wanted(&status) {
                return status;
            }
            assert!(Instant::now() < end, "{status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// `text` as 2.05.
pub fn says(text: &str) -> Result<Effect, Failure> {
    Ok(Effect::Reply(RuleReply {
        message: RuleMessage {
            code: code::CONTENT,
            options: Vec::new(),
            payload: text.as_bytes().to_vec(),
        },
        session: None,
        watch: None,
    }))
}

/// A rule that responds to `GET /test` with a text.
pub fn saying(text: &str) -> Vec<u8> {
    let mut rule = RuleText::new();
    rule.begin = rule.value(&says(text)).1;
    rule.component()
}

/// A rule that traps.
pub fn trapping() -> Vec<u8> {
    RuleText::new().component()
}
