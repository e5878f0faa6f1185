//! Worlds whose operations a test chooses; the seed decides the rest.

use std::time::Duration;

use super::homeserver::Mood;
use super::message::Heard;
use super::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// A device without the mode `always`.
const DEVICE: u64 = 1;
const ROOM: u64 = 0;

impl World {
    /// The homeserver is away for a day; each hour devices send messages. Returns how many attempts were made.
    pub async fn run_day_without_homeserver(mut self) -> u64 {
        self.start_process().await;
        self.network.0.borrow_mut().mood = Mood::Unreachable;
        for hour in 0..24 {
            self.send(
                DEVICE,
                ROOM,
                None,
                format!("{{\"body\":\"{hour}\"}}").into_bytes(),
            );
            self.send_new();
            self.wait(HOUR).await;
        }
        let process = self.process.as_ref().expect("it is not killed");
        let attempts = process.deliveries.counters().attempts.get();
        self.heal().await;
        self.judge();
        attempts
    }

    /// The homeserver responds to a message so late that it has to be stored, but the disk takes nothing. Meanwhile the
    /// next message of the device comes. Returns whether both were sent.
    pub async fn run_late_response_on_a_full_disk(mut self) -> bool {
        self.start_process().await;
        self.disk.limit(Some(0));
        self.network.0.borrow_mut().mood = Mood::Slow;
        self.send(DEVICE, ROOM, None, b"{\"body\":\"first\"}".to_vec());
        self.wait(Duration::from_millis(2_100)).await;
        self.network.0.borrow_mut().mood = Mood::Up;
        self.send(DEVICE, ROOM, None, b"{\"body\":\"second\"}".to_vec());
        self.wait(Duration::from_secs(20)).await;
        self.disk.limit(None);
        self.heal().await;
        self.judge();
        let ends = self
            .messages
            .iter()
            .map(|message| &message.exchanges[0].end);
        ends.filter(|end| **end == Heard::Sent).count() == 2
    }
}
