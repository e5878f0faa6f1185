//! What happens in a world: devices send, homeservers change, operators intervene, disks fill up.

use std::time::Duration;

use contract::DeliveryId;
use futures_util::FutureExt;
use outbox::{RecordNumber, State};
use runtime::exchange::Delivered;
use tokio::time::Instant;

use super::clock;
use super::exchange::{Datagram, LIFETIME};
use super::homeserver::Mood;
use super::message::{DEVICES, Exchange, Heard, Message, ORIGIN, ROOMS, caller, peer, sender};
use super::process::Done;
use super::world::World;
use crate::control::Reply;
use crate::outbox::deliveries::Deliveries;

impl World {
    /// An operation, and what follows from it.
    pub async fn step(&mut self) {
        match self.dice.below(100) {
            0..30 => self.send_new(),
            30..44 => self.repeat(),
            44..48 => self.ask(),
            48..58 => self.change_mood(),
            58..61 => self.change_room(),
            61..64 => self.drop_one(),
            64..67 => self.revive_one(),
            67..69 => self.reconfigure(),
            69..71 => self.fail_disk(),
            71 => clock::set(self.start),
            72 => self.pass_time(3600).await,
            73..76 => self.pass_time(300).await,
            76..90 => self.pass_time(10).await,
            _ => self.pass_time(1).await,
        }
        // Else the next operation comes while this one is under way.
        if self.dice.quarters(3) {
            self.turn();
        } else {
            self.half_turn_of_process();
        }
    }

    async fn pass_time(&mut self, most: u64) {
        let time = Duration::from_millis(self.dice.below(1_000 * most));
        self.wait(time).await;
    }

    fn send_new(&mut self) {
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

    fn new_digest(&mut self) -> [u8; 16] {
        let halves = [self.dice.number(), self.dice.number()];
        (u128::from(halves[0]) << 64 | u128::from(halves[1])).to_be_bytes()
    }

    /// A device repeats a message: the same datagram, or its transaction in another one.
    fn repeat(&mut self) {
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

    fn any_of_the_last(&mut self) -> Option<usize> {
        let count = self.messages.len() as u64;
        let back = 1 + self.dice.below(12);
        count.checked_sub(back).map(|number| number as usize)
    }

    /// Passes a message to the gateway.
    fn pass_on(&mut self, number: usize) {
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

    fn ask(&mut self) {
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

    fn change_mood(&mut self) {
        let moods = Mood::ALL.len() as u64;
        let mood = match self.dice.quarters(2) {
            true => Mood::Up,
            false => Mood::ALL[self.dice.below(moods) as usize],
        };
        self.network.0.borrow_mut().mood = mood;
        self.say(|| format!("the homeserver: {mood:?}"));
    }

    fn change_room(&mut self) {
        let room = format!("!{}:example.org", self.dice.below(ROOMS as u64));
        let forbidden = &mut self.network.0.borrow_mut().forbidden;
        if !forbidden.remove(&room) {
            forbidden.insert(room);
        }
    }

    fn drop_one(&mut self) {
        self.change_one(State::Waiting, |number, record, deliveries| {
            Box::pin(async move {
                let id = deliveries
                    .0
                    .outbox
                    .borrow()
                    .get(record)
                    .map(|record| record.id);
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                let reply = deliveries.0.drop_one(&id).await;
                Done::Dropped(number, matches!(reply, Reply::Done(_)))
            })
        });
    }

    fn revive_one(&mut self) {
        self.change_one(State::Failed, |number, record, deliveries| {
            Box::pin(async move {
                Done::Revived(number, deliveries.0.revive(&[record]).await.count > 0)
            })
        });
    }

    fn change_one(
        &mut self,
        state: State,
        change: impl FnOnce(
            usize,
            RecordNumber,
            Deliveries,
        ) -> futures_util::future::LocalBoxFuture<'static, Done>,
    ) {
        let Some(number) = self.any_of_the_last() else {
            return;
        };
        let found = self.record_of(number).filter(|(_, found)| *found == state);
        let (Some((record, _)), Some(process)) = (found, &self.process) else {
            return;
        };
        let deliveries = process.deliveries.clone();
        process.pending.push(change(number, record, deliveries));
        // It may come to it at any time now.
        let message = &mut self.messages[number];
        match state {
            State::Waiting => message.dropped = true,
            _ => message.revived = true,
        }
        self.say(|| format!("the operator changes message {number}, which is {state:?}"));
    }

    /// The record of a message.
    pub fn record_of(&self, number: usize) -> Option<(RecordNumber, State)> {
        let process = self.process.as_ref()?;
        let outbox = process.deliveries.0.outbox.borrow();
        let ids = &self.messages[number].ids;
        let mut records = outbox.iter();
        records
            .find(|(_, record)| ids.contains(&record.id))
            .map(|(number, record)| (number, record.state))
    }

    fn reconfigure(&mut self) {
        if let Some(process) = &self.process {
            process.deliveries.reconfigure();
        }
    }

    fn fail_disk(&mut self) {
        match self.dice.below(4) {
            0 => self.disk.limit(Some(24 << 10)),
            1 => self.disk.fail_syncs(1 + self.dice.below(2)),
            _ => self.disk.limit(None),
        }
    }

    /// Something has ended.
    pub fn on_done(&mut self, done: Done) {
        match done {
            Done::Work => {}
            Done::Status(number, status) => self.check_status(number, status),
            Done::Dropped(number, done) => {
                self.tally.dropped += u64::from(done);
                if done {
                    // If the device repeats it, it is another one.
                    self.messages[number].queued = None;
                }
                self.say(|| format!("message {number} dropped: {done}"));
            }
            Done::Revived(number, done) => {
                self.tally.revived += u64::from(done);
                self.say(|| format!("message {number} waits again: {done}"));
            }
            Done::Exchange(number, exchange, delivered) => {
                self.on_response(number, exchange, delivered);
            }
        }
    }

    fn on_response(&mut self, number: usize, exchange: usize, delivered: Delivered) {
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
