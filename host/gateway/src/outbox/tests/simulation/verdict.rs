//! What must hold.

use std::collections::BTreeMap;

use contract::DeliveryId;
use outbox::State;

use super::message::Message;
use super::world::World;
use crate::outbox::Status;

impl World {
    /// The device hears that its message waits.
    pub fn check_accepted(&mut self, number: usize, short: &str) {
        let seed = self.seed;
        let message = &mut self.messages[number];
        let is_its = message
            .ids
            .iter()
            .any(|id| id.to_string().starts_with(short));
        assert!(
            is_its,
            "seed {seed}: message {number} got {short}, which is another's"
        );
        if message.failed {
            // Failed ones are kept within bounds. Whoever repeats one that is forgotten sends another message.
            message.queued = Some(short.to_owned());
        }
        let before = message.queued.get_or_insert_with(|| short.to_owned());
        assert_eq!(
            before, short,
            "seed {seed}: message {number} is two messages"
        );
        self.check_bounds();
    }

    /// No device has more than its share of the outbox, nor have all of them more than there is.
    fn check_bounds(&self) {
        let Some(process) = &self.process else {
            return;
        };
        let outbox = process.deliveries.0.outbox.borrow();
        let limits = process.deliveries.limits();
        let mut held: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for (_, record) in outbox.iter() {
            // What an operator dropped while the disk failed comes back at the next start, beyond the share.
            let is_dropped = self.messages[self.by_id[&record.id.to_string()]].dropped;
            if record.state == State::Waiting && !is_dropped {
                let (messages, bytes) = held.entry(record.origin.device()).or_default();
                *messages += 1;
                *bytes += record.bytes();
            }
        }
        let within = |(messages, bytes): &(usize, usize), part: usize| {
            *messages <= limits.messages / part && *bytes <= limits.bytes / part
        };
        let all = held
            .values()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let is_within = within(&all, 1) && held.values().all(|held| within(held, 8));
        assert!(is_within, "seed {}: {held:?}", self.seed);
    }

    /// The device hears that its message was sent.
    pub fn check_sent(&self, number: usize, body: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Sent {
            event_id: String,
        }
        let sent: Sent = serde_json::from_slice(body).expect("it is a response");
        self.check_event(number, &sent.event_id);
    }

    /// The event is this message's.
    fn check_event(&self, number: usize, event: &str) {
        let homeserver = self.network.0.borrow();
        let found = homeserver.event_of(event);
        let of = found.and_then(|event| self.by_id.get(&event.transaction));
        assert_eq!(of, Some(&number), "seed {}: {event}", self.seed);
    }

    /// The device has asked what became of its message.
    pub fn check_status(&mut self, number: usize, status: Option<(DeliveryId, Status)>) {
        self.tally.statuses += 1;
        if let Some((_, Status::Sent(details))) = status {
            let details: BTreeMap<String, String> =
                ciborium::from_reader(details.as_ref()).expect("a map of text");
            if let Some(event) = details.get("event_id") {
                self.check_event(number, event);
            }
        }
    }

    /// A record has ended.
    pub fn on_ended(&mut self, id: DeliveryId) {
        let number = self.by_id[&id.to_string()];
        // It may have left again for another one.
        let is_sent = self
            .record_of(number)
            .is_some_and(|(_, state)| state == State::Sent);
        let is_over = self.messages[number].first_sent.elapsed() > self.age;
        if !is_sent && (is_over || self.network.0.borrow().refused.contains(&id.to_string())) {
            self.tally.failed += 1;
            self.messages[number].failed = true;
            self.say(|| format!("message {number} has failed"));
        }
    }

    /// After a start: what was promised is there, and nothing else.
    pub fn check_start(&mut self) {
        let Some(process) = &self.process else {
            return;
        };
        let seed = self.seed;
        assert_eq!(process.restored.unreadable, 0, "seed {seed}");
        let records: Vec<_> = {
            let outbox = process.deliveries.0.outbox.borrow();
            let of = |record: &outbox::Record| (self.by_id[&record.id.to_string()], record.state);
            outbox.iter().map(|(_, record)| of(record)).collect()
        };
        let state = |number: usize| {
            records
                .iter()
                .find(|(of, _)| *of == number)
                .map(|one| one.1)
        };
        for (number, message) in self.messages.iter().enumerate() {
            let waiting = |(of, state): &&(usize, State)| *of == number && *state == State::Waiting;
            let waiting = records.iter().filter(waiting).count();
            // What a failing disk did not drop is back, and its device may have repeated it meanwhile.
            assert!(
                waiting <= 1 || message.dropped,
                "seed {seed}: message {number} waits {waiting} times"
            );
            if message.is_promised() && !self.is_exempt(message) && self.times_in_room(message) == 0
            {
                let is_kept = state(number).is_some_and(|state| state != State::Sent);
                assert!(
                    is_kept,
                    "seed {seed}: message {number} is lost: {:?}",
                    state(number)
                );
            }
            if message.is_refused() {
                let waits = state(number) == Some(State::Waiting);
                assert!(
                    !waits,
                    "seed {seed}: message {number} was refused, and waits"
                );
            }
        }
        for (number, state) in records {
            if state == State::Failed {
                self.messages[number].failed = true;
            }
        }
        self.check_rooms();
    }

    /// At the end: what was promised is in its room once, in its order.
    pub fn judge(&self) {
        let seed = self.seed;
        self.check_rooms();
        for (number, message) in self.messages.iter().enumerate() {
            if message.is_promised() && !self.is_exempt(message) {
                let times = self.times_in_room(message);
                assert_eq!(times, 1, "seed {seed}: message {number} is lost");
            }
        }
        for device in 0..super::message::DEVICES {
            for room in self.network.0.borrow().rooms.keys() {
                self.check_order(device, room);
            }
        }
    }

    /// No message is in its room twice: but one that an operator dropped after an attempt whose outcome was unknown,
    /// and that its device repeats later than the homeserver remembers the attempt, is another one.
    fn check_rooms(&self) {
        for (number, message) in self.messages.iter().enumerate() {
            let times = self.times_in_room(message);
            assert!(
                times <= 1 || message.dropped,
                "seed {}: message {number} is in its room {times} times",
                self.seed
            );
        }
    }

    fn times_in_room(&self, message: &Message) -> usize {
        self.places(message).count()
    }

    fn places(&self, message: &Message) -> impl Iterator<Item = usize> {
        let homeserver = self.network.0.borrow();
        let events = homeserver.rooms.get(&message.room);
        let is_its = |event: &str| message.ids.iter().any(|id| id.to_string() == event);
        let events = events.into_iter().flatten().enumerate();
        let places = events.filter(|(_, event)| is_its(&event.transaction));
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        places.into_iter()
    }

    /// Messages of a device are in its room as it has sent them: if a promise for one was asked for before the other
    /// one was sent at all.
    fn check_order(&self, device: usize, room: &str) {
        let of_both = |message: &&Message| {
            message.device == device && message.room == *room && !self.is_exempt(message)
        };
        let messages = self.messages.iter().filter(of_both);
        let placed = messages.filter_map(|message| {
            let (first, promised) = message.order()?;
            Some((first, promised, self.places(message).next()?))
        });
        let placed: Vec<(u64, u64, usize)> = placed.collect();
        for (_, promised, place) in &placed {
            for (first, _, later) in &placed {
                assert!(
                    promised >= first || place < later,
                    "seed {}: device {device} sent {promised} before {first}, which is before it in {room}",
                    self.seed
                );
            }
        }
    }

    /// Whether nothing is promised any more: it has failed, or an operator has changed it.
    fn is_exempt(&self, message: &Message) -> bool {
        let refused = &self.network.0.borrow().refused;
        let is_refused = |id: &DeliveryId| refused.contains(&id.to_string());
        let is_changed = message.dropped || message.revived;
        message.failed || is_changed || message.ids.iter().any(is_refused)
    }
}
