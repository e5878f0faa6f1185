//! Any sequence of events: nothing is lost, nothing is attempted twice at a time, and no lane stands still.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    /// A message of this lane, whose record is stored so many events later.
    Accept {
        lane: u8,
        running: bool,
    },
    Stored,
    Attempt,
    Sent(u8),
    Failed(u8),
    Retry(u8, u8),
    Drop(u8),
    /// It is about to leave, and then it does or not.
    BeginLeaving(u8),
    Left,
    Stay,
    Wait(u8),
    SetGoing,
    SetGoingFor(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..6_u8, any::<bool>()).prop_map(|(lane, running)| Event::Accept { lane, running }),
        3 => Just(Event::Stored),
        4 => Just(Event::Attempt),
        3 => any::<u8>().prop_map(Event::Sent),
        1 => any::<u8>().prop_map(Event::Failed),
        2 => (any::<u8>(), 0..5_u8).prop_map(|(which, why)| Event::Retry(which, why)),
        1 => any::<u8>().prop_map(Event::Drop),
        1 => any::<u8>().prop_map(Event::BeginLeaving),
        1 => Just(Event::Left),
        1 => Just(Event::Stay),
        2 => (0..120_u8).prop_map(Event::Wait),
        1 => Just(Event::SetGoing),
        1 => any::<u8>().prop_map(Event::SetGoingFor),
    ]
}

/// What must hold, kept apart from the outbox.
#[derive(Default)]
struct Model {
    lane_of: BTreeMap<RecordNumber, u64>,
    waiting: BTreeSet<RecordNumber>,
    unstored: BTreeSet<RecordNumber>,
    in_flight: BTreeSet<RecordNumber>,
    leaving: BTreeSet<RecordNumber>,
}

impl Model {
    fn pick(&self, which: u8) -> Option<RecordNumber> {
        let count = self.in_flight.len().max(1);
        self.in_flight
            .iter()
            .nth(usize::from(which) % count)
            .copied()
    }

    fn end(&mut self, number: RecordNumber) {
        self.in_flight.remove(&number);
        self.leaving.remove(&number);
        self.waiting.remove(&number);
    }
}

fn accepted(count: u64, lane: u8) -> Accepted {
    let mut accepted = message(0, lane.into());
    accepted.id = DeliveryId::from_bytes(u128::from(count).to_be_bytes());
    accepted.origin.server = u64::from(lane % 2);
    accepted.origin.account = u64::from(lane % 3);
    accepted
}

fn apply(outbox: &mut Outbox, model: &mut Model, event: &Event, now: &mut u64) {
    match *event {
        Event::Accept { lane, running } => {
            let accepted = accepted(model.lane_of.len() as u64, lane);
            // Of several devices whose messages for one lane were in flight, one was stored first.
            let began = running.then(|| at(*now));
            let number = outbox.accept(at(*now), &accepted, began).unwrap();
            model.lane_of.insert(number, lane.into());
            model.waiting.insert(number);
            model.unstored.insert(number);
            if began.is_some() {
                model.in_flight.insert(number);
            }
        }
        Event::Stored => {
            if let Some(number) = model.unstored.pop_first() {
                outbox.stored(number);
            }
        }
        Event::Attempt => attempt(outbox, model, *now),
        Event::Sent(which) | Event::Failed(which) => {
            if let Some(number) = model.pick(which) {
                let state = match event {
                    Event::Sent(_) => State::Sent,
                    _ => State::Failed,
                };
                assert!(outbox.ended(at(*now), None, number, state, 10));
                model.end(number);
            }
        }
        Event::Retry(which, why) => {
            if let Some(number) = model.pick(which) {
                let whys = [
                    Retry::Unreachable,
                    Retry::TimedOut,
                    Retry::Server,
                    Retry::Limited(at(5)),
                    Retry::Token,
                ];
                outbox.retry(at(*now), number, whys[usize::from(why)]);
                model.in_flight.remove(&number);
            }
        }
        Event::Drop(which) => {
            let count = model.waiting.len().max(1);
            let number = model
                .waiting
                .iter()
                .nth(usize::from(which) % count)
                .copied();
            if let Some(number) = number {
                assert_eq!(outbox.drop(number), !model.in_flight.contains(&number));
                if !model.in_flight.contains(&number) {
                    model.end(number);
                    model.unstored.remove(&number);
                }
            }
        }
        Event::BeginLeaving(which) => {
            let count = model.waiting.len().max(1);
            let number = model.waiting.iter().nth(usize::from(which) % count);
            if let Some(number) = number.copied() {
                let may = !model.in_flight.contains(&number)
                    && !model.unstored.contains(&number)
                    && !model.leaving.contains(&number);
                assert_eq!(outbox.begin_leaving(number), may);
                if may {
                    model.leaving.insert(number);
                }
            }
        }
        Event::Left => {
            if let Some(number) = model.leaving.pop_first() {
                assert!(outbox.drop(number));
                model.end(number);
            }
        }
        Event::Stay => {
            if let Some(number) = model.leaving.pop_first() {
                outbox.stay(number);
            }
        }
        Event::Wait(seconds) => *now += u64::from(seconds),
        Event::SetGoing => outbox.set_going(),
        Event::SetGoingFor(which) => {
            let count = model.waiting.len().max(1);
            let number = model.waiting.iter().nth(usize::from(which) % count);
            if let Some(number) = number {
                outbox.set_going_for(*number);
            }
        }
    }
}

fn attempt(outbox: &mut Outbox, model: &mut Model, now: u64) {
    let Some(number) = next(outbox, now) else {
        return;
    };
    let lane = model.lane_of[&number];
    let others = model
        .waiting
        .iter()
        .filter(|other| model.lane_of[other] == lane);
    assert_eq!(others.min(), Some(&number), "the oldest of its lane");
    assert!(!model.unstored.contains(&number), "it is stored");
    assert!(!model.leaving.contains(&number), "it stays");
    assert!(model.in_flight.insert(number), "it was not in flight");
    let of_server = model
        .in_flight
        .iter()
        .filter(|other| model.lane_of[other] % 2 == lane % 2);
    assert!(of_server.count() <= 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_is_lost_and_no_lane_stands_still(events in proptest::collection::vec(event(), 0..120)) {
        let mut outbox = outbox();
        let mut model = Model::default();
        let mut now = 0;
        for event in &events {
            apply(&mut outbox, &mut model, event, &mut now);
            let waiting: Vec<_> = outbox
                .iter()
                .filter(|(_, record)| record.state == State::Waiting)
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(waiting, model.waiting.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(outbox.totals(at(now)).in_flight, model.in_flight.len());
        }
        // When everything is stored and the homeserver is there, everything leaves.
        while let Some(number) = model.unstored.pop_first() {
            outbox.stored(number);
        }
        while let Some(number) = model.leaving.pop_first() {
            outbox.stay(number);
        }
        outbox.set_going();
        for _ in 0..3 * events.len() {
            attempt(&mut outbox, &mut model, now);
            if let Some(number) = model.pick(0) {
                prop_assert!(outbox.ended(at(now), None, number, State::Sent, 10));
                model.end(number);
            }
        }
        prop_assert!(model.waiting.is_empty(), "{:?} stand still", model.waiting);
        prop_assert_eq!(outbox.totals(at(now)).waiting, (0, 0));
        prop_assert_eq!(outbox.next_timeout(), None);
        for lane in 0..6 {
            prop_assert_eq!(outbox.route(&accepted(0, lane).origin), Route::Direct);
        }
    }
}
