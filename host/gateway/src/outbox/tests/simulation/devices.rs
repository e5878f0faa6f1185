//! Devices send messages, repeat them, and ask what became of them.

use contract::DeliveryId;
use futures_util::FutureExt;
use runtime::exchange::Delivered;
use tokio::time::Instant;

use super::exchange::{Datagram, LIFETIME};
use super::message::{DEVICES, Exchange, Heard, Message, ORIGIN, ROOMS, caller, peer, sender};
use super::process::Done;
use super::world::World;

impl World {
    pub fn send_new(&mut self) {
        let (device, room) = (
            self.dice.below(DEVICES as u64),
            self.dice.below(ROOMS as u64),
        );
        let number = self.messages.len();
        let transaction = self.dice.quarters(3).then(|| number.to_string());
        // Some sensors measure the same again, but only homeservers that show ids can distinguish that.
        let is_like_others = self.network.0.borrow().shows_ids && self.dice.quarters(1);
        let body = match is_like_others {
            true => br#"{"body":"22.5"}"#.to_vec(),
            false => format!(r#"{{"body":"message {number}"}}"#).into_bytes(),
        };
        self.send(device, room, transaction, body);
    }

    /// A device sends a new message.
    pub fn send(&mut self, device: u64, room: u64, transaction: Option<String>, body: Vec<u8>) {
        let number = self.messages.len();
        let now = Instant::now();
        let digest = self.new_digest();
        self.messages.push(Message {
            device: device as usize,
            room: format!("!{room}:example.org"),
            body,
            transaction,
            first_sent: now,
            digest,
            datagram_sent: now,
            ids: Vec::new(),
            exchanges: Vec::new(),
            queued: None,
            failed: false,
            dropped: false,
            revived: false,
        });
        self.pass_on(number);
    }

    pub fn new_digest(&mut self) -> [u8; 16] {
        let halves = [self.dice.number(), self.dice.number()];
        (u128::from(halves[0]) << 64 | u128::from(halves[1])).to_be_bytes()
    }

    /// A device repeats a message: the same datagram, or its transaction in another one.
    pub fn repeat(&mut self) {
        let Some(number) = self.any_of_the_last() else {
            return;
        };
        let digest = self.new_digest();
        let is_datagram = self.dice.quarters(2) || self.messages[number].transaction.is_none();
        let (now, boot) = (Instant::now(), self.boot);
        let is_kept = self.record_of(number).is_some();
        let has_battery = self.has_battery;
        let message = &mut self.messages[number];
        if is_datagram {
            // The endpoint recognises one whose exchange is under way. An exchange's id lasts until a reboot; then the
            // datagram is recognised by its age.
            let is_own = message.ids.last().is_some_and(|id| {
                *id == DeliveryId::of(
                    &sender(message.device),
                    ORIGIN,
                    &message.request(),
                    &message.transaction_in(boot),
                )
            });
            let is_fresh = now - message.datagram_sent < LIFETIME;
            if message.is_in_flight() || !is_fresh || !(is_own || is_kept && has_battery) {
                return;
            }
        } else {
            // Later the homeserver may have forgotten it, and so may the gateway.
            if now - message.first_sent >= LIFETIME && !is_kept {
                return;
            }
            message.digest = digest;
            message.datagram_sent = now;
        }
        self.tally.repetitions += 1;
        self.pass_on(number);
    }

    pub fn any_of_the_last(&mut self) -> Option<usize> {
        let count = self.messages.len() as u64;
        let back = 1 + self.dice.below(12);
        count.checked_sub(back).map(|number| number as usize)
    }

    /// Passes a message to the gateway.
    pub fn pass_on(&mut self, number: usize) {
        let Some(process) = &self.process else {
            return;
        };
        self.order += 1;
        let message = &mut self.messages[number];
        let exchange = message.exchanges.len();
        message.exchanges.push(Exchange {
            began: self.order,
            end: Heard::Nothing,
        });
        let transaction = message.transaction_in(self.boot);
        let request = message.request();
        let id = DeliveryId::of(&sender(message.device), ORIGIN, &request, &transaction);
        message.ids.push(id);
        self.by_id.insert(id.to_string(), number);
        let datagram = Datagram {
            snapshot: self.snapshots.load().clone(),
            caller: caller(message.device),
            request,
            transaction,
            digest: message.digest,
            id,
        };
        let passing = datagram.pass(process.deliveries.clone());
        let passing = passing.map(move |end| Done::Exchange(number, exchange, end));
        process.pending.push(Box::pin(passing));
        let (device, room) = (message.device, message.room.clone());
        self.say(|| {
            format!("device {device} sends message {number} to {room}, exchange {exchange}, {id}")
        });
    }

    pub fn ask(&mut self) {
        let Some(number) = self.any_of_the_last() else {
            return;
        };
        let message = &self.messages[number];
        let (Some(process), Some(short)) = (&self.process, message.queued.clone()) else {
            return;
        };
        let (deliveries, device) = (process.deliveries.clone(), peer(message.device));
        process.pending.push(Box::pin(async move {
            Done::Status(
                number,
                deliveries.status(&device, &short).await.ok().flatten(),
            )
        }));
    }

    pub fn on_response(&mut self, number: usize, exchange: usize, delivered: Delivered) {
        let heard = match delivered {
            Delivered::Accepted(short) => {
                self.tally.queued += 1;
                self.check_accepted(number, &short);
                Heard::Queued
            }
            Delivered::Outcome(Ok(response)) if response.status == 200 && is_json(&response) => {
                self.tally.sent_at_once += 1;
                self.check_sent(number, &response.body);
                Heard::Sent
            }
            // There is nobody to send it.
            Delivered::Outcome(_) if !self.disk.has_power() => Heard::Lost,
            Delivered::Outcome(_) => {
                self.tally.refused += 1;
                Heard::Refused
            }
        };
        self.say(|| format!("message {number}, exchange {exchange}: {heard:?}"));
        self.messages[number].exchanges[exchange].end = heard;
    }
}

fn is_json(response: &contract::HttpResponse) -> bool {
    response.body.starts_with(b"{")
}
