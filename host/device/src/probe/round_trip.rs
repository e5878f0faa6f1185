//! Round trip and loss, by 20 small messages, and the ping.

use std::collections::HashMap;
use std::time::Duration;

use coap::option::URI_PATH;
use coap::{Message, MessageType, Token, code};

use super::prober::{Patience, Prober, Sent};

/// Messages for the loss: 5 % is the smallest that shows. More would take minutes on a slow path.
const MESSAGES: u32 = 20;

/// Wait for each of them. ACK_TIMEOUT (RFC 7252 §4.8): a device would send a confirmable message again then.
const WAIT: Duration = Duration::from_secs(2);

/// Pings before the gateway counts as not responding to them: a confirmable message is sent five times as well.
const PINGS: u32 = 5;

/// A size counts as too large if at most one in a thousand messages of a good size would fail as often.
const DOUBT: f64 = 0.001;

/// Most tries of one size. Above a loss of 42 % a size can count as too large by chance.
const MAX_TRIES: u32 = 8;

/// Limits of the wait for the response to one try.
const WAIT_BOUNDS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// The result of the 20 messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Messages that were sent.
    pub sent: u32,
    /// The times of those with a response, ascending.
    pub times: Vec<Duration>,
}

impl RoundTrips {
    /// Messages without a response.
    pub fn lost(&self) -> u32 {
        self.sent.saturating_sub(self.times.len() as u32)
    }

    /// Shortest, median and longest time.
    pub fn spread(&self) -> Option<[Duration; 3]> {
        let median = self.times.get(self.times.len() / 2)?;
        Some([*self.times.first()?, *median, *self.times.last()?])
    }

    /// How often and how long to try a message on such a path.
    pub fn patience(&self) -> Patience {
        let loss = f64::from(self.lost()) / f64::from(self.sent.max(1));
        let tries = match loss {
            loss if loss >= 1.0 => MAX_TRIES,
            loss => (1..=MAX_TRIES)
                .find(|tries| loss.powi(*tries as i32) <= DOUBT)
                .unwrap_or(MAX_TRIES),
        };
        let longest = self.times.last().copied().unwrap_or(WAIT_BOUNDS.1);
        Patience {
            // Few messages show no loss below 5 %: a second and a third try cost little.
            tries: tries.max(3),
            wait: (3 * longest).clamp(WAIT_BOUNDS.0, WAIT_BOUNDS.1),
        }
    }
}

/// Sends the messages one after the other: two at a time would compete for the same radio.
pub fn measure(prober: &mut Prober<'_>) -> RoundTrips {
    let request = Message::new(code::GET).with_option(URI_PATH, "time");
    let mut waiting: HashMap<Vec<u8>, Sent> = HashMap::new();
    let mut result = RoundTrips::default();
    let key = |token: Token| token.as_bytes().to_vec();
    for _ in 0..MESSAGES {
        let Some(sent) = prober.send(&request) else {
            break;
        };
        result.sent += 1;
        waiting.insert(key(sent.token), sent);
        while let Some(received) = prober.receive(sent.at + WAIT) {
            // A response that is later than its wait has arrived nevertheless.
            let Some(of) = waiting.remove(&key(received.datagram.token)) else {
                continue;
            };
            result
                .times
                .push(received.at.saturating_duration_since(of.at));
            if of.message_id == sent.message_id {
                break;
            }
        }
    }
    result.times.sort();
    result
}

/// The time until the RST to a ping; none if no RST arrives.
pub fn ping(prober: &mut Prober<'_>, patience: Patience) -> Option<Duration> {
    for _ in 0..PINGS.max(patience.tries) {
        let sent = prober.ping()?;
        while let Some(received) = prober.receive(sent.at + patience.wait) {
            let datagram = &received.datagram;
            let is_reset = datagram.message_type == MessageType::Reset;
            if is_reset && datagram.message_id == sent.message_id {
                return Some(received.at.saturating_duration_since(sent.at));
            }
        }
    }
    None
}
