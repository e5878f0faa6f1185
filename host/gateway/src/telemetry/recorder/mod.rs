//! Counts of requests, and the last of them, for the operator. Plain cells, since one thread carries the data path.
//! They hold no content of devices or homeservers: no payload, no query, no room, no token.

mod devices;
mod exchange_counts;
mod history;
mod loop_probe;
mod recent;
mod resource;
mod security_state;
mod unix_time;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use coap::PeerFacts;
use coap::code::{Dotted, method_name};
use contract::peer::canonical;
use devices::Sender;
pub use devices::{Device, Devices};
pub use exchange_counts::ExchangeCount;
use exchange_counts::{ExchangeCounts, Label};
pub use history::{History, Point, Sample};
pub use loop_probe::{LoopProbe, LoopState};
use recent::Recent;
pub use resource::Resource;
use runtime::MountTable;
pub use security_state::SecurityState;
use share::Owner;
pub use unix_time::unix_ms;

/// A completed request.
pub struct Ended<'a> {
    /// The device.
    pub peer: SocketAddr,
    /// Its name, if it has authenticated itself.
    pub principal: Option<Arc<str>>,
    /// Its host.
    pub owner: Owner,
    /// What the endpoint has found out about it.
    pub facts: PeerFacts,
    /// The request's method code.
    pub method: u8,
    /// The resource that it named.
    pub resource: &'a Resource,
    /// The homeserver's last status, or the reason why there was no response.
    pub upstream: Option<&'a str>,
    /// The response code.
    pub code: u8,
    /// From the complete request to its response.
    pub elapsed: Duration,
}

/// One of the last requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentExchange {
    /// Time of the response, in milliseconds since 1970.
    pub unix_ms: u64,
    /// The device.
    pub peer: SocketAddr,
    /// Its name, if it had authenticated itself.
    #[serde(default)]
    pub principal: Option<String>,
    /// Like `PUT`.
    pub method: String,
    /// The link's pattern with its mount, like `/send/*`: not the path, which names a room.
    pub resource: String,
    /// The rule that has the resource; empty without one.
    pub rule: String,
    /// The homeserver's last status, or the reason why there was no response; none without a call.
    pub upstream: Option<String>,
    /// The response code, like `2.04`.
    pub code: String,
    /// Milliseconds from the complete request to its response.
    pub ms: f64,
}

/// Counts since the gateway started.
#[derive(Default)]
pub struct Recorder {
    /// Requests the state of the event loop.
    pub loop_probe: LoopProbe,
    counts: RefCell<ExchangeCounts>,
    recent: RefCell<Recent<Kept>>,
    devices: RefCell<Devices>,
    /// The last hour.
    pub history: RefCell<History>,
    bodies_refused: Cell<u64>,
}

/// A [`RecentExchange`] before it is formatted.
struct Kept {
    at: SystemTime,
    peer: SocketAddr,
    principal: Option<Arc<str>>,
    method: u8,
    label: Label,
    upstream: Option<Box<str>>,
    code: u8,
    elapsed: Duration,
}

impl Recorder {
    /// Records a completed request. `rules`: the serving rules, for the mounts of their resources.
    pub fn ended(&self, rules: &MountTable, ended: &Ended<'_>) {
        let at = SystemTime::now();
        let label = self
            .counts
            .borrow_mut()
            .count(rules, ended.resource, ended.code);
        let from = Sender {
            address: ended.peer.ip().to_canonical(),
            owner: ended.owner,
            facts: ended.facts,
        };
        let principal = ended.principal.as_ref();
        self.devices
            .borrow_mut()
            .record(at, from, principal, ended.code);
        self.history.borrow_mut().record(ended.elapsed);
        let mut recent = self.recent.borrow_mut();
        let kept = Kept {
            at,
            peer: ended.peer,
            principal: ended.principal.clone(),
            method: ended.method,
            label,
            upstream: ended.upstream.map(Box::from),
            code: ended.code,
            elapsed: ended.elapsed,
        };
        recent.push(ended.owner, kept);
    }

    /// Counts a request that was refused because the memory for bodies was in use.
    pub fn count_refused_body(&self) {
        self.bodies_refused.set(self.bodies_refused.get() + 1);
    }

    /// Number of these requests.
    #[must_use]
    pub fn bodies_refused(&self) -> u64 {
        self.bodies_refused.get()
    }

    /// Numbers of requests by rule, resource and code, in this order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<ExchangeCount> {
        self.counts.borrow().all()
    }

    /// The last requests, the newest first.
    #[must_use]
    pub fn recent(&self) -> Vec<RecentExchange> {
        let counts = self.counts.borrow();
        let shown = |kept: &Kept| {
            let (rule, resource) = counts.shown(kept.label);
            RecentExchange {
                unix_ms: unix_ms(kept.at),
                peer: canonical(kept.peer),
                principal: kept.principal.as_deref().map(shown_name),
                method: method_name(kept.method).into_owned(),
                resource: resource.to_owned(),
                rule: rule.to_owned(),
                upstream: kept.upstream.as_deref().map(str::to_owned),
                code: Dotted(kept.code).to_string(),
                ms: kept.elapsed.as_secs_f64() * 1e3,
            }
        };
        self.recent.borrow().newest_first().map(shown).collect()
    }

    /// Numbers of devices with statistics and of evicted ones, and the last `count` devices.
    #[must_use]
    pub fn devices(&self, count: usize) -> (usize, u64, Vec<Device>) {
        let devices = self.devices.borrow();
        (devices.recorded(), devices.evicted(), devices.latest(count))
    }
}

/// A name for people.
fn shown_name(principal: &str) -> String {
    contract::escaping::escaped(principal, 64)
}

#[cfg(test)]
mod tests {
    use super::recent::RECENT;
    use super::*;

    fn ended(recorder: &Recorder, last: u16, code: u8) {
        let peer = format!("[::ffff:192.0.2.1]:{last}");
        recorder.ended(
            &MountTable::default(),
            &Ended {
                peer: peer.parse().unwrap(),
                principal: Some("kitchen".into()),
                owner: Owner::new(1, None),
                facts: PeerFacts::default(),
                method: 1,
                resource: &Resource::Discovery,
                upstream: Some("200"),
                code,
                elapsed: Duration::from_micros(1500),
            },
        );
    }

    #[test]
    fn the_last_hundred_requests_are_kept_and_all_are_counted() {
        let recorder = Recorder::default();
        for port in 0..250 {
            ended(&recorder, port, 69);
        }
        ended(&recorder, 5683, 132);
        let recent = recorder.recent();
        assert_eq!(recent.len(), RECENT);
        let newest = &recent[0];
        assert_eq!(newest.peer.to_string(), "192.0.2.1:5683");
        assert_eq!(
            (newest.method.as_str(), newest.code.as_str()),
            ("GET", "4.04")
        );
        assert_eq!(newest.resource, "/.well-known/core");
        assert_eq!((newest.ms, newest.upstream.as_deref()), (1.5, Some("200")));
        assert_eq!(recent[1].peer.port(), 249);
        let counts: Vec<u64> = recorder.exchanges().iter().map(|one| one.count).collect();
        assert_eq!(counts, [250, 1]);
        let (recorded, evicted, latest) = recorder.devices(10);
        assert_eq!((recorded, evicted, latest.len()), (1, 0, 1));
        assert_eq!(latest[0].requests, 251);
        let names = [&newest.principal, &latest[0].name].map(Option::as_deref);
        assert_eq!(names, [Some("kitchen"); 2]);
    }
}
