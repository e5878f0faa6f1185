//! The example rule `stream` before a homeserver whose stream of events the test writes, and a device that has a feed.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use coap::{Datagram, Message, code, option};
use gateway::event_loop::serve;
use gateway::request::{Gateway, Snapshot};
use runtime::{Cache, Revision, RuleLimits};
use serde_json::json;
use tokio::sync::oneshot;
use transport::UdpTransport;
use url::Url;

use crate::default_rule::{activate_rule, engine, gateway_with, limits};
use crate::http_call::{homeserver, upstreams};
use crate::observing_device::Device;
use crate::scratch;
use crate::stub::{Reaction, Received, Stub};

/// How long a poll waits for the next piece; shorter than the rule asks for.
const HOLD: Duration = Duration::from_millis(300);

#[derive(Default)]
struct Log {
    pieces: Vec<String>,
    /// The positions of the polls, in their order.
    polls: Vec<usize>,
    fault: Option<(u16, String)>,
    closes: usize,
}

/// A homeserver with one stream: the position is the number of pieces before it.
pub struct Stream {
    log: Arc<(Mutex<Log>, Condvar)>,
    stub: Stub,
}

impl Stream {
    fn start() -> Self {
        let log = Arc::new((Mutex::new(Log::default()), Condvar::new()));
        let shared = log.clone();
        let stub = Stub::start(move |received| react(&shared, received));
        Self { log, stub }
    }

    pub fn url(&self) -> Url {
        self.stub.url()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.0.lock().expect("nobody panics with it")
    }

    /// Something happens in the room `!a`.
    pub fn happen(&self, what: &str) {
        self.log().pieces.push(what.to_owned());
        self.log.1.notify_all();
    }

    /// From now on polls get this error; none: the right response.
    pub fn fail(&self, fault: Option<(u16, &str)>) {
        self.log().fault = fault.map(|(status, body)| (status, body.to_owned()));
        self.log.1.notify_all();
    }

    /// The connections of so many polls break before their response.
    pub fn break_off(&self, polls: usize) {
        self.log().closes = polls;
        self.log.1.notify_all();
    }

    /// The positions of the polls so far, in a row of the same once.
    pub fn positions(&self) -> Vec<usize> {
        let mut polls = self.log().polls.clone();
        polls.dedup();
        polls
    }

    /// How many polls began at a position.
    pub fn polls_at(&self, position: usize) -> usize {
        let log = self.log();
        log.polls.iter().filter(|poll| **poll == position).count()
    }

    /// Waits until a poll begins at this position.
    pub async fn until_polled(&self, position: usize) {
        let began = Instant::now();
        while self.polls_at(position) == 0 {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "no poll at {position}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn react(log: &(Mutex<Log>, Condvar), received: &Received) -> Reaction {
    let url = Url::parse("http://h").and_then(|base| base.join(&received.target));
    let url = url.expect("it is a target");
    let query = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.into_owned())
    };
    let position = |text: String| {
        text.trim_start_matches('s')
            .parse()
            .expect("it is a position")
    };
    let since: usize = query("since").map_or(0, position);
    let waits = query("timeout").is_some_and(|timeout| timeout != "0");
    let (mutex, changed) = log;
    let mut log = mutex.lock().expect("nobody panics with it");
    if waits {
        log.polls.push(since);
        let is_over =
            |log: &mut Log| log.pieces.len() <= since && log.fault.is_none() && log.closes == 0;
        let waited = changed.wait_timeout_while(log, HOLD, is_over);
        log = waited.expect("nobody panics with it").0;
    }
    if log.closes > 0 {
        log.closes -= 1;
        return Reaction::Close;
    }
    if let Some((status, body)) = log.fault.clone() {
        return Reaction::Json(status, body);
    }
    let body = match log.pieces.get(since) {
        Some(piece) => json!({
            "next_batch": format!("s{}", since + 1), "rooms": {"join": {"!a": {"piece": piece}}},
        }),
        None => json!({"next_batch": format!("s{since}")}),
    };
    Reaction::Json(200, body.to_string())
}

/// Holds the compiled rule.
static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let cache = Cache::open(&scratch::folder("stream-rule").join("cache"));
    cache.unwrap_or_else(|error| panic!("{error}"))
});

/// The rule with these limits.
pub fn stream_rule(limits: RuleLimits) -> Revision {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guest/stream.wasm");
    let component = fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guest`", file.display()));
    activate_rule(
        &engine(),
        Some(&CACHE),
        "stream",
        &component,
        BTreeMap::new(),
        limits,
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

/// Serves the rule at the root while `test` runs.
pub async fn feeding<F: Future<Output = ()>>(
    test: impl FnOnce(Rc<Gateway>, Rc<Stream>, SocketAddr) -> F,
) {
    feeding_with(limits(), |_| {}, test).await;
}

/// The same with other limits of the rule and the gateway.
pub async fn feeding_with<F: Future<Output = ()>>(
    limits: RuleLimits,
    change: impl Fn(&mut Snapshot),
    test: impl FnOnce(Rc<Gateway>, Rc<Stream>, SocketAddr) -> F,
) {
    let stream = Rc::new(Stream::start());
    let upstreams = upstreams(vec![homeserver(stream.url(), None)]);
    let gateway = Rc::new(gateway_with(stream_rule(limits), upstreams));
    let loopback = "127.0.0.1:0".parse().expect("it is an address");
    let transport = UdpTransport::bind(loopback).unwrap_or_else(|error| panic!("{error}"));
    let address = transport.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    gateway.snapshots.update(|snapshot| {
        snapshot.limits.drain = Duration::ZERO;
        change(snapshot);
    });
    let stop_of_gateway = async move { drop(stopped.await) };
    let served = serve(vec![transport], &gateway, stop_of_gateway);
    let tested = async {
        test(gateway.clone(), stream, address).await;
        drop(stop);
    };
    tokio::join!(served, tested);
}

/// `GET /?since=s<position>`, with Observe 0 if the device observes, in blocks of 1,024 bytes.
pub fn get(position: usize, observes: bool) -> Message {
    let message = Message::new(code::GET)
        .with_option(option::URI_QUERY, format!("since=s{position}"))
        .with_option(option::ACCESS_TOKEN, "device-token");
    match observes {
        true => message
            .with_uint_option(option::OBSERVE, 0)
            .with_option(option::BLOCK2, [6]),
        false => message,
    }
}

/// The response to a request, which is separate on a busy machine.
pub async fn ask(device: &mut Device, token: &str, message: Message) -> Datagram {
    let response = device.ask(token, message).await;
    if response.message.code != code::EMPTY {
        return response;
    }
    let response = device.receive().await;
    device.acknowledge(&response).await;
    response
}

/// A device that has a feed from this position, with its first response.
pub async fn feed(address: SocketAddr, position: usize) -> (Device, Datagram) {
    let mut device = Device::new(address).await;
    let first = ask(&mut device, "f", get(position, true)).await;
    assert_eq!(first.message.code, code::CONTENT, "{first:?}");
    assert!(first.message.option(option::OBSERVE).is_some(), "{first:?}");
    (device, first)
}

/// The piece in a payload; none if it has none.
pub fn piece(payload: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(payload).expect("it is JSON");
    json["rooms"]["join"]["!a"]["piece"]
        .as_str()
        .map(str::to_owned)
}
