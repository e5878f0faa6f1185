//! What an attack did to honest devices.

use std::fmt;
use std::time::Duration;

use super::attacker::Traffic;
use super::honest::Requests;

/// Bytes of the headers of Ethernet, IPv4 and UDP.
const HEADERS: u64 = 14 + 20 + 8;

/// The outcome of one attack.
pub struct Report {
    /// The attack.
    pub name: &'static str,
    /// Whether the attacker's address counts as forged.
    pub is_forged: bool,
    /// What the attacker sent and got.
    pub traffic: Traffic,
    /// Requests of honest devices, by errand.
    pub time: Requests,
    /// As `time`, for messages in one datagram.
    pub send: Requests,
    /// As `time`, for messages in blocks.
    pub upload: Requests,
    /// Messages that were accepted and did not reach the homeserver.
    pub missing: usize,
    /// Messages that reached it under two transaction ids.
    pub doubled: usize,
    /// Resident bytes before the attack, the most during it, and after it.
    pub memory: [u64; 3],
    /// The gateway's log.
    pub log: String,
}

impl Report {
    /// The reasons for which requests of honest devices failed, and how many.
    pub fn failed(&self) -> Vec<(&str, u64)> {
        let all = [&self.time, &self.send, &self.upload].into_iter();
        let reasons = all.flat_map(|requests| &requests.tally.errors);
        reasons
            .map(|(reason, count)| (reason.as_str(), *count))
            .collect()
    }

    /// Bytes that a forged address got on its link for each byte that it sent, headers included: RFC 9175 §2.4 allows
    /// 136 bytes because they are, with headers, three times the smallest request.
    pub fn amplification(&self) -> f64 {
        let of_link = |datagrams: u64, bytes: u64| (datagrams * HEADERS + bytes) as f64;
        let traffic = &self.traffic;
        of_link(traffic.datagrams_received, traffic.received)
            / of_link(traffic.datagrams, traffic.bytes).max(1.0)
    }

    /// Growth of the resident memory during the attack and after it, in megabytes.
    pub fn growth(&self) -> [f64; 2] {
        let [before, highest, after] = self.memory;
        [highest, after].map(|bytes| (bytes as f64 - before as f64) / 1e6)
    }

    /// The heading of a table of reports.
    pub const HEADING: &str = "\
| attack | datagrams/s | MB/s | `/time` p50, p99, max | `/send` p50, p99, max | upload p99 | failed | missing | \
doubled | memory: most, after | bytes got per byte |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";

    /// The report as a row, for an attack of this duration.
    pub fn row(&self, duration: Duration) -> String {
        let seconds = duration.as_secs_f64();
        let [most, after] = self.growth();
        format!(
            "| {} | {:.0} | {:.2} | {} | {} | {} | {} | {} | {} | {most:+.1}, {after:+.1} MB | {:.2}{} |",
            self.name,
            self.traffic.datagrams as f64 / seconds,
            self.traffic.bytes as f64 / seconds / 1e6,
            Percentiles::of(&self.time),
            Percentiles::of(&self.send),
            millis(self.upload.tally.latency(0.99)),
            self.failed().iter().map(|(_, count)| count).sum::<u64>(),
            self.missing,
            self.doubled,
            self.amplification(),
            if self.is_forged { "" } else { " (proven)" },
        )
    }
}

struct Percentiles([Duration; 3]);

impl Percentiles {
    fn of(requests: &Requests) -> Self {
        Self([0.5, 0.99, 1.0].map(|share| requests.tally.latency(share)))
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = self.0.map(millis);
        write!(f, "{half}, {most}, {all}")
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
