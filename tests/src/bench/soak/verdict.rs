//! The result of a soak: the table, and whether it passes.

use std::collections::BTreeMap;

use super::super::report::millis;
use super::Away;
use super::device::Ledger;
use super::rooms::Read;
use super::watcher::Observed;
use super::{DEVICES, LOSS, WATCHERS};
use comatrix_tests::tally::Tally;

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

/// Memory growth between the warm-up and the end: 10 % and 2 MiB, for the allocator's reserve and a body or two in
/// flight. A leak of 100 bytes per exchange would be 3 MB after 10 minutes.
const GROWTH_PERCENT: u64 = 10;
const GROWTH_BYTES: u64 = 2 << 20;

/// RSS of the gateway in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Before the first request.
    pub start: u64,
    /// After a minute, or half of a shorter soak.
    pub warm: u64,
    /// When the last device was done.
    pub end: u64,
}

impl Memory {
    fn is_flat(self) -> bool {
        self.end <= self.warm + self.warm * GROWTH_PERCENT / 100 + GROWTH_BYTES
    }
}

/// All devices together, held against the rooms.
pub struct Verdict {
    requests: u64,
    given_up: u64,
    tally: Tally,
    acknowledged: usize,
    /// Acknowledged, and not in the room.
    lost: usize,
    /// In the room more than once.
    doubled: usize,
    /// In the room, and sent by nobody.
    unknown: usize,
    memory: Memory,
    /// Observations that were begun, and messages in their notifications.
    observations: usize,
    notified: usize,
    /// Messages of bursts that were passed over, as notifications say.
    passed_over: usize,
    /// Other messages that observers did not get, between others.
    left_out: usize,
    /// Notifications of a message that the observation had, or of none in the room.
    repeated: usize,
    /// Notifications of a message that is in the room before the one notified before.
    unordered: usize,
    /// None: the homeserver was there all the time.
    away: Option<Away>,
    unavailable: u64,
    queued: u64,
    /// Messages that wait in the end.
    waiting: usize,
}

impl Verdict {
    pub fn new(ledgers: Vec<Ledger>, read: &Read, memory: Memory) -> Self {
        let mut all = Tally::default();
        let (mut requests, mut given_up) = (0, 0);
        let (mut unavailable, mut queued) = (0, 0);
        let (mut sent, mut unsure) = (Vec::new(), Vec::new());
        for ledger in ledgers {
            requests += ledger.requests;
            given_up += ledger.given_up;
            unavailable += ledger.unavailable;
            queued += ledger.queued;
            sent.extend(ledger.sent);
            unsure.extend(ledger.unsure);
            all.latencies.extend(ledger.tally.latencies);
            all.retransmissions += ledger.tally.retransmissions;
            for (error, count) in ledger.tally.errors {
                *all.errors.entry(error).or_default() += count;
            }
        }
        let by_devices: std::collections::HashSet<_> = sent.iter().chain(&unsure).collect();
        Self {
            requests,
            given_up,
            tally: all,
            acknowledged: sent.len(),
            lost: sent
                .iter()
                .filter(|message| !read.contains_key(*message))
                .count(),
            doubled: read.values().filter(|times| **times > 1).count(),
            unknown: read
                .keys()
                .filter(|message| !by_devices.contains(message))
                .count(),
            memory,
            observations: 0,
            notified: 0,
            passed_over: 0,
            left_out: 0,
            repeated: 0,
            unordered: 0,
            away: None,
            unavailable,
            queued,
            waiting: 0,
        }
    }

    /// Compares notifications with the rooms' timelines: each observation gets every message from its first on, once,
    /// and in its order, but those of a burst that a notification says are passed over.
    pub fn watched(mut self, observations: &[Observed], timelines: &[Vec<String>]) -> Self {
        for observed in observations {
            let timeline = &timelines[observed.room];
            let place = |body: &String| timeline.iter().position(|message| message == body);
            let notified = observed.notified.iter();
            let places: Vec<_> = notified.map(|one| place(&one.body)).collect();
            let missed = observed.notified.iter().skip(1).map(|one| one.missed);
            let missed: usize = missed.sum();
            self.observations += 1;
            self.notified += places.len();
            self.passed_over += missed;
            self.unordered += places.windows(2).filter(|pair| pair[1] < pair[0]).count();
            let known: std::collections::BTreeSet<_> = places.iter().flatten().collect();
            self.repeated += places.len() - known.len();
            if let (Some(first), Some(last)) = (known.first(), known.last()) {
                let lacks = *last - *first + 1 - known.len();
                self.left_out += lacks.saturating_sub(missed);
            }
        }
        self
    }

    /// The homeserver was away, and so many messages wait nevertheless.
    pub fn away(self, away: Option<Away>, waiting: usize) -> Self {
        Self {
            away,
            waiting,
            ..self
        }
    }

    /// A Markdown table, and the lines of the gateway's log about bounds and refusals.
    pub fn table(&self, minutes: u64, log: &str) -> String {
        let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let latency = |share| format!("{:.1} ms", millis(self.tally.latency(share)));
        let errors: BTreeMap<_, _> = self.tally.errors.iter().collect();
        let rows = [
            ("requests", self.requests.to_string()),
            (
                "responses of class 2",
                self.tally.latencies.len().to_string(),
            ),
            (
                "given up by the device (RFC 7252 §4.2)",
                self.given_up.to_string(),
            ),
            ("everything else than class 2", format!("{errors:?}")),
            (
                "retransmissions by devices",
                self.tally.retransmissions.to_string(),
            ),
            (
                "`/send` acknowledged, of them queued",
                format!("{}, {}", self.acknowledged, self.queued),
            ),
            ("… of them not in the room", self.lost.to_string()),
            (
                "messages in a room more than once",
                self.doubled.to_string(),
            ),
            ("messages that nobody sent", self.unknown.to_string()),
            (
                "observations, messages notified",
                format!("{}, {}", self.observations, self.notified),
            ),
            (
                "… passed over in bursts, as notifications say",
                self.passed_over.to_string(),
            ),
            (
                "… left out, repeated, in another order",
                format!("{}, {}, {}", self.left_out, self.repeated, self.unordered),
            ),
            (
                "latency, p50 and p99",
                format!("{}, {}", latency(0.50), latency(0.99)),
            ),
            (
                "RSS of the gateway: start, warm, end",
                [self.memory.start, self.memory.warm, self.memory.end]
                    .map(mebibytes)
                    .join(", "),
            ),
        ];
        let away = self.away.map_or_else(String::new, |away| {
            let (stops, seconds) = (away.stops, away.time.as_secs());
            format!(", which was away {stops} times, together {seconds} s")
        });
        let mut table = format!(
            "{DEVICES} devices and {WATCHERS} observers, {minutes} minutes, {LOSS} % loss each way, Synapse{away}\n\n\
             | quantity | figure |\n| --- | ---: |\n"
        );
        for (what, figure) in rows {
            table += &format!("| {what} | {figure} |\n");
        }
        table += "\nThe gateway's log, warnings and above:\n";
        let lines: Vec<&str> = log.lines().collect();
        table += &lines[lines.len().saturating_sub(20)..].join("\n");
        table
    }

    /// Why it does not pass; none where it does.
    pub fn problem(&self) -> Option<String> {
        let unavailable = self.away.map_or(0, |_| self.unavailable);
        let wrong = self.tally.failed() - self.given_up - unavailable;
        let of_observers = self.left_out + self.repeated + self.unordered;
        if self.lost + self.doubled + self.unknown + of_observers > 0 {
            Some("messages were lost, doubled or made up; see the table".to_owned())
        } else if wrong > 0 {
            Some(format!(
                "{wrong} requests had another end than a response of class 2 or being given up"
            ))
        } else if self.waiting > 0 {
            Some(format!("{} messages wait nevertheless", self.waiting))
        } else if self.away.is_some() && self.queued == 0 {
            Some("no message waited: the homeserver was never away".to_owned())
        } else if self.acknowledged == 0 {
            Some("no message was acknowledged: there was nothing to lose".to_owned())
        } else if !self.memory.is_flat() {
            Some("the gateway's memory was not flat; see the table".to_owned())
        } else {
            None
        }
    }
}
