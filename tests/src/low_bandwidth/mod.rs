//! What a device does in a day, by a Matrix client library: over CoAP through the gateway (MSC3079), or over HTTP
//! without it. The end-to-end tests check each step at the homeserver; the benchmark counts its bytes.

mod story;

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::nio::{Answer, Nio};
use crate::wire::Wire;

pub use story::{Story, TEXT};

/// After an answer: the last acknowledgement of an exchange is still on its way.
const SETTLE: Duration = Duration::from_millis(60);

/// The bytes of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the device did.
    pub name: &'static str,
    /// UDP payload both ways, DTLS records as a whole; by curl: HTTP both ways, heads and bodies.
    pub bytes: usize,
    /// Of these, the bytes of the largest datagram; 0 by curl.
    pub largest: usize,
}

/// A device of one account, and the way of its requests.
pub struct Device {
    nio: Nio,
    wire: Option<Wire>,
    steps: Vec<Step>,
}

impl Device {
    /// By CoAP, through a wire to the gateway; with `credentials` by `coaps`.
    pub fn over_coap(user: &str, wire: &Wire, credentials: Option<&Path>) -> Self {
        let scheme = if credentials.is_some() {
            "coaps"
        } else {
            "coap"
        };
        let uri = format!("{scheme}://{}", wire.address);
        Self {
            nio: Nio::over_coap(user, &uri, credentials),
            wire: Some(wire.clone()),
            steps: Vec::new(),
        }
    }

    /// By curl to the homeserver itself.
    pub fn by_curl(user: &str, origin: &str, compressed: bool) -> Self {
        Self {
            nio: Nio::by_curl(user, origin, compressed),
            wire: None,
            steps: Vec::new(),
        }
    }

    /// Makes a call whose answer must be of the class `response`, and counts its bytes as the step `name`.
    #[track_caller]
    pub fn step(
        &mut self,
        name: &'static str,
        call: &str,
        arguments: Value,
        response: &str,
    ) -> Answer {
        let before = self.wire.as_ref().map_or(0, |wire| wire.passing().len());
        let answer = self.nio.expect(call, arguments, response);
        let (mut bytes, mut largest) = (answer.http_bytes, 0);
        if let Some(wire) = &self.wire {
            thread::sleep(SETTLE);
            let passing = wire.passing();
            let sizes = passing[before..]
                .iter()
                .map(|datagram| datagram.bytes.len());
            bytes = sizes.clone().sum();
            largest = sizes.max().unwrap_or(0);
        }
        self.steps.push(Step {
            name,
            bytes,
            largest,
        });
        answer
    }

    /// The client itself, for calls that nobody counts.
    pub fn nio(&mut self) -> &mut Nio {
        &mut self.nio
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}
