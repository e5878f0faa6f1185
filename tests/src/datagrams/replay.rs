//! Replays a case against a gateway of its own, in front of a homeserver with rooms.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use coap::Datagram;

use super::client::Client;
use super::line::{Line, lines};
use super::pattern::check;
use super::words::{Bound, datagram, hex, message_type, split};
use crate::gateway::Gateway;
use crate::places::Scratch;
use crate::rooms::Rooms;

/// The room that cases call `kitchen`.
pub const ROOM: &str = "!kitchen:localhost";

/// Above the gateway's limit for a request (10 s), on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// The parts of a running case.
pub struct Replay {
    /// The homeserver.
    pub rooms: Rooms,
    gateway: Gateway,
    _scratch: Scratch,
    devices: HashMap<String, Client>,
    bound: Bound,
}

/// Replays the case. The error has the number of the line and what came in its place.
///
/// # Errors
/// The gateway does not do what a line says.
pub fn replay(text: &str) -> Result<(), String> {
    let lines = lines(text);
    let configuration: String = lines
        .iter()
        .filter_map(|(_, line)| match line {
            Line::Config(config) => Some(format!("{config}\n")),
            _ => None,
        })
        .collect();
    let arguments = lines.iter().find_map(|(_, line)| match line {
        Line::Arguments(arguments) => Some(arguments.as_slice()),
        _ => None,
    });
    let mut replay = Replay::start(&configuration, arguments.unwrap_or_default());
    lines.iter().try_for_each(|(number, line)| {
        replay
            .step(line)
            .map_err(|error| format!("line {number}: {error}"))
    })
}

impl Replay {
    /// Starts homeserver and gateway. The gateway has an access token for its devices, and the room `kitchen`.
    pub fn start(configuration: &str, arguments: &[String]) -> Self {
        let rooms = Rooms::start();
        let scratch = Scratch::new("datagrams");
        scratch.write("token", "the-gateways-token");
        let file = format!(
            "access_token_file = \"token\"\n{configuration}\n[[homeserver]]\nurl = \"{}\"\n[rooms]\n\
             kitchen = \"{ROOM}\"\n",
            rooms.origin
        );
        let file = scratch.write("gateway.toml", &file).display().to_string();
        let gateway = Gateway::start(&[&["--config".to_owned(), file], arguments].concat());
        let bound = [
            ("GATEWAY", gateway.address.to_string()),
            ("PORT", gateway.address.port().to_string()),
            ("HOMESERVER", rooms.origin.clone()),
        ];
        Self {
            rooms,
            _scratch: scratch,
            devices: HashMap::new(),
            bound: bound
                .map(|(name, text)| (name.to_owned(), text.into_bytes()))
                .into(),
            gateway,
        }
    }

    /// Where the gateway listens.
    pub fn address(&self) -> SocketAddr {
        self.gateway.address
    }

    /// Does what a line says.
    ///
    /// # Errors
    /// The gateway does not do what the line says.
    pub fn step(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Config(_) | Line::Arguments(_) => {}
            Line::HomeserverTakes(time) => self.rooms.delay(*time),
            Line::RoomSays(text) => self.rooms.say(ROOM, text),
            Line::Wait(time) => thread::sleep(*time),
            Line::Sent(count) => return self.sent(*count),
            Line::Sends(device, text) => {
                let words = split(text);
                let bytes = match words.first().and_then(|word| message_type(word)) {
                    Some(_) => datagram(&words, &self.bound),
                    None => hex(text, &self.bound),
                };
                self.device(device).send(&bytes);
            }
            Line::Gets(device, may_be_later, pattern) => {
                return self.gets(device, *may_be_later, &split(pattern));
            }
            Line::GetsNothing(device, time) => {
                let end = Instant::now() + *time;
                return match self.device(device).receive(end, true) {
                    Some((_, datagram)) => Err(format!("{datagram:?} came")),
                    None => Ok(()),
                };
            }
            Line::Acknowledges(device, acknowledges) => {
                let device = self.device(device);
                device.acknowledges = *acknowledges;
                device.resets.clear();
            }
            Line::Responds(device, habit) => self.device(device).habit = *habit,
            Line::Resets(device, token) => {
                let token = hex(token, &self.bound);
                self.device(device).resets.push(token);
            }
            Line::RoomHas(text) => {
                let bodies = self.rooms.bodies();
                if bodies.last() != Some(text) {
                    return Err(format!("the room has {bodies:?}"));
                }
            }
        }
        Ok(())
    }

    fn device(&mut self, name: &str) -> &mut Client {
        let address = self.gateway.address;
        let client = self.devices.entry(name.to_owned());
        client.or_insert_with(|| Client::new(address))
    }

    /// The next datagram of a device, without pings and retransmissions.
    pub fn receive(&mut self, device: &str) -> Option<(Vec<u8>, Datagram)> {
        self.device(device)
            .receive(Instant::now() + PATIENCE, false)
    }

    fn gets(&mut self, device: &str, may_be_later: bool, pattern: &[String]) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let wants_empty = pattern.iter().any(|word| word == "empty");
        let mut passed = Vec::new();
        while let Some((bytes, datagram)) = self.device(device).receive(end, wants_empty) {
            match check(pattern, &bytes, &datagram, &mut self.bound) {
                Ok(()) => return Ok(()),
                Err(word) => {
                    let text = String::from_utf8_lossy(&datagram.message.payload).into_owned();
                    let found = format!(
                        "{word} is wrong in {datagram:?} with {text:?}, {} bytes",
                        bytes.len()
                    );
                    if !may_be_later {
                        return Err(found);
                    }
                    passed.push(found);
                }
            }
        }
        Err(format!("nothing came; before that: {passed:#?}"))
    }

    /// Waits until the homeserver has so many messages: the last of them may be on its way.
    fn sent(&self, count: usize) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while self.rooms.sent() < count && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        match self.rooms.sent() {
            sent if sent == count => Ok(()),
            sent => Err(format!(
                "the homeserver has {sent} messages: {:?}",
                self.rooms.bodies()
            )),
        }
    }
}
