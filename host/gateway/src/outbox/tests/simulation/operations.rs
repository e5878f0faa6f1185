//! What happens in a world: devices send, homeservers change, operators intervene, disks fill up.

use std::time::Duration;

use outbox::{RecordNumber, State};

use super::clock;
use super::homeserver::Mood;
use super::message::ROOMS;
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
}
