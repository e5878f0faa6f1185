//! A homeserver that is away for a part of a soak.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use comatrix_tests::synapse::Synapse;

/// Time for what waits when the homeserver is back: pauses grow to a minute and a half.
const DRAIN_LIMIT: Duration = Duration::from_secs(600);

/// When the homeserver is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outages {
    /// Percent of the time.
    pub percent: u32,
    /// In pieces of this length.
    pub piece: Duration,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Away {
    /// How often it was stopped.
    pub stops: usize,
    /// From a stop until it responds again, all together.
    pub time: Duration,
}

impl Outages {
    /// A part without the homeserver follows one with it.
    fn up(self) -> Duration {
        self.piece * (100 - self.percent) / self.percent
    }

    /// Stops Synapse and starts it until `end`; it is there in the end. The last piece may be shorter.
    pub fn run(self, synapse: &mut Synapse, end: Instant) -> Away {
        let mut away = Away::default();
        loop {
            let stop = Instant::now() + self.up();
            sleep_until(stop.min(end));
            if stop >= end {
                return away;
            }
            // Every other one in the middle of its work.
            synapse.stop(away.stops % 2 == 1);
            sleep_until((stop + self.piece).min(end));
            synapse.start_again();
            away.stops += 1;
            away.time += stop.elapsed();
        }
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// Waits until no message waits at the gateway with this control socket; how many wait nevertheless.
pub fn drain(gateway: &Path, socket: &Path) -> usize {
    let end = Instant::now() + DRAIN_LIMIT;
    loop {
        let output = Command::new(gateway)
            .args(["outbox", "list", "--json", "--control-socket"])
            .arg(socket)
            .output();
        let stdout = output.map(|output| output.stdout).unwrap_or_default();
        let list: serde_json::Value = serde_json::from_slice(&stdout).unwrap_or_default();
        let waiting = list["records"].as_array().map_or(usize::MAX, Vec::len);
        if waiting == 0 || Instant::now() >= end {
            return waiting;
        }
        thread::sleep(Duration::from_millis(500));
    }
}
