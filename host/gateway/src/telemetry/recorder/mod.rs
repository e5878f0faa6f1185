//! What the gateway has done, for its operator: counts, and the last of what happened. Plain cells, since one thread carries
//! the data path. Nothing here is what a device or a homeserver said: no payload, no query, no room, no token.

mod devices;
mod exchange_counts;
mod loop_probe;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use coap::code::Dotted;
use coap::code::method_name;
use contract::peer::canonical;
pub use devices::{Device, Devices};
pub use exchange_counts::ExchangeCount;
use exchange_counts::{ExchangeCounts, Label};
pub use loop_probe::{LoopProbe, LoopState};
use runtime::{MountTable, Revision};

/// Exchanges that are remembered: a screen or two.
const RECENT: usize = 100;

/// What a request is for.
#[derive(Clone)]
pub enum Resource {
    /// No resource of this gateway's.
    Unknown,
    /// `/.well-known/core`.
    Discovery,
    /// A link of a rule, by its index.
    Link(Arc<Revision>, u16),
}

/// An exchange that has ended.
pub struct Ended<'a> {
    /// The device.
    pub peer: SocketAddr,
    /// The request's method code.
    pub method: u8,
    /// What it was for.
    pub resource: &'a Resource,
    /// The homeserver's last status, or why there was none.
    pub upstream: Option<&'a str>,
    /// The response code.
    pub code: u8,
    /// From the whole request to its response.
    pub elapsed: Duration,
}

/// One of the last exchanges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentExchange {
    /// When it ended, in milliseconds since 1970.
    pub unix_ms: u64,
    /// The device.
    pub peer: SocketAddr,
    /// Like `PUT`.
    pub method: String,
    /// The link's pattern with its mount, like `/send/*`: not the path, which names a room.
    pub resource: String,
    /// The rule whose resource it is; empty where it is nobody's.
    pub rule: String,
    /// The homeserver's last status, or why there was none; none where no homeserver was called.
    pub upstream: Option<String>,
    /// The response code, like `2.04`.
    pub code: String,
    /// Milliseconds from the whole request to its response.
    pub ms: f64,
}

/// What has happened since the gateway started.
#[derive(Default)]
pub struct Recorder {
    /// Asks the serving loop.
    pub loop_probe: LoopProbe,
    counts: RefCell<ExchangeCounts>,
    recent: RefCell<VecDeque<Kept>>,
    devices: RefCell<Devices>,
    busy: Cell<u64>,
}

/// A [`RecentExchange`] before anybody wants to read it.
struct Kept {
    at: SystemTime,
    peer: SocketAddr,
    method: u8,
    label: Label,
    upstream: Option<Box<str>>,
    code: u8,
    elapsed: Duration,
}

impl Recorder {
    /// Notes that an exchange has ended. `rules`: those that serve, for the mounts of their resources.
    pub fn ended(&self, rules: &MountTable, ended: &Ended<'_>) {
        let at = SystemTime::now();
        let label = self
            .counts
            .borrow_mut()
            .count(rules, ended.resource, ended.code);
        self.devices
            .borrow_mut()
            .seen(at, ended.peer.ip().to_canonical(), ended.code);
        let mut recent = self.recent.borrow_mut();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(Kept {
            at,
            peer: ended.peer,
            method: ended.method,
            label,
            upstream: ended.upstream.map(Box::from),
            code: ended.code,
            elapsed: ended.elapsed,
        });
    }

    /// Counts a request that got 5.03 because the request bodies in flight are at their limit.
    pub fn rejected_busy(&self) {
        self.busy.set(self.busy.get() + 1);
    }

    /// How many such requests there were.
    #[must_use]
    pub fn busy(&self) -> u64 {
        self.busy.get()
    }

    /// All exchanges by rule, resource and code, in this order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<ExchangeCount> {
        self.counts.borrow().all()
    }

    /// The last exchanges, the newest first.
    #[must_use]
    pub fn recent(&self) -> Vec<RecentExchange> {
        let counts = self.counts.borrow();
        let shown = |kept: &Kept| {
            let (rule, resource) = counts.shown(kept.label);
            RecentExchange {
                unix_ms: unix_ms(kept.at),
                peer: canonical(kept.peer),
                method: method_name(kept.method).into_owned(),
                resource: resource.to_owned(),
                rule: rule.to_owned(),
                upstream: kept.upstream.as_deref().map(str::to_owned),
                code: Dotted(kept.code).to_string(),
                ms: kept.elapsed.as_secs_f64() * 1e3,
            }
        };
        self.recent.borrow().iter().rev().map(shown).collect()
    }

    /// How many devices are remembered and how many were forgotten for others, and the last `count` that were heard of.
    #[must_use]
    pub fn devices(&self, count: usize) -> (usize, u64, Vec<Device>) {
        let devices = self.devices.borrow();
        (devices.known(), devices.forgotten(), devices.latest(count))
    }
}

/// Milliseconds since 1970; 0 before that.
#[must_use]
pub fn unix_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(recorder: &Recorder, last: u16, code: u8) {
        let peer = format!("[::ffff:192.0.2.1]:{last}");
        recorder.ended(
            &MountTable::default(),
            &Ended {
                peer: peer.parse().unwrap(),
                method: 1,
                resource: &Resource::Discovery,
                upstream: Some("200"),
                code,
                elapsed: Duration::from_micros(1500),
            },
        );
    }

    #[test]
    fn the_last_hundred_exchanges_are_remembered_and_all_are_counted() {
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
        let (known, forgotten, latest) = recorder.devices(10);
        assert_eq!((known, forgotten, latest.len()), (1, 0, 1));
        assert_eq!(latest[0].exchanges, 251);
    }
}
