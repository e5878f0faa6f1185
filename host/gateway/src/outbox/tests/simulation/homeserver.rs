//! A homeserver: rooms, and transaction ids that it remembers for a while. It does as its mood says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::Outcome;
use homeserver::{Caller, PreparedCall, SentEvent};
use outbox::Search;
use secrecy::ExposeSecret;
use store::simulation::Dice;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::clock;
use super::outcomes::{error, refusal, response, sent};

/// It recognises a transaction id for so long, and no longer.
const REMEMBERED: Duration = Duration::from_secs(30 * 60);
/// As the real search allows.
const CLOCKS: u64 = 300;

/// How the homeserver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Well.
    Up,
    /// Some of its responses come after the gateway's patience.
    Slow,
    /// There is no connection.
    Unreachable,
    /// It accepts requests, acts on some, and never responds.
    Silent,
    /// 502; some requests have an effect all the same.
    Failing,
    /// 429.
    Limited,
    /// 401.
    NoToken,
    /// Something else responds: 200 and a page.
    Page,
}

impl Mood {
    pub const ALL: [Self; 8] = [
        Self::Up,
        Self::Slow,
        Self::Unreachable,
        Self::Silent,
        Self::Failing,
        Self::Limited,
        Self::NoToken,
        Self::Page,
    ];
}

/// A message in a room.
#[derive(Clone, Debug)]
pub struct Event {
    pub transaction: String,
    pub content: Vec<u8>,
    sender: String,
    at: u64,
    number: usize,
}

impl Event {
    fn id(&self, room: &str) -> String {
        format!("${}{room}", self.number)
    }
}

/// A request on its way.
struct Request {
    at: Instant,
    room: String,
    event: Event,
    /// Whether it has an effect, and what the gateway gets instead of the outcome.
    acts: bool,
    instead: Option<Outcome>,
    response: Option<oneshot::Sender<Outcome>>,
}

/// The homeserver itself.
pub struct Homeserver {
    dice: Dice,
    pub start: Instant,
    pub mood: Mood,
    /// Rooms in which nobody may write now.
    pub forbidden: BTreeSet<String>,
    /// Whether it shows transaction ids to those who have sent the event.
    pub shows_ids: bool,
    pub rooms: BTreeMap<String, Vec<Event>>,
    remembered: BTreeMap<(String, String), (String, Instant)>,
    on_the_way: Vec<Request>,
    /// Transactions that were last refused for good.
    pub refused: BTreeSet<String>,
    pub searches: u64,
    pub found: u64,
    pub repeated: u64,
}

impl Homeserver {
    pub fn new(seed: u64, start: Instant) -> Self {
        let mut dice = Dice::new(seed);
        let shows_ids = dice.quarters(3);
        Self {
            dice,
            start,
            mood: Mood::Up,
            forbidden: BTreeSet::new(),
            shows_ids,
            rooms: BTreeMap::new(),
            remembered: BTreeMap::new(),
            on_the_way: Vec::new(),
            refused: BTreeSet::new(),
            searches: 0,
            found: 0,
            repeated: 0,
        }
    }

    /// A request arrives, or not.
    pub fn receive(
        &mut self,
        caller: &Caller,
        call: &PreparedCall,
    ) -> Result<oneshot::Receiver<Outcome>, Outcome> {
        if self.mood == Mood::Unreachable {
            return Err(error("unreachable", false));
        }
        if self.dice.below(40) == 0 {
            return Err(error("busy", false));
        }
        let (room, event) = self.event(caller, call);
        let (response, outcome) = oneshot::channel();
        let latency = match self.mood {
            Mood::Slow => self.dice.below(8_000),
            Mood::Silent => self.dice.below(20_000),
            _ => self.dice.below(300),
        };
        let lost = self.dice.below(20);
        let (acts, instead) = match self.mood {
            Mood::Up | Mood::Slow if lost == 0 => (true, Some(error("cut-off", true))),
            Mood::Up | Mood::Slow if lost == 1 => (false, Some(error("cut-off", true))),
            Mood::Up | Mood::Slow => (true, None),
            Mood::Failing => (self.dice.quarters(1), Some(refusal(self.mood, 0))),
            Mood::Silent => (self.dice.quarters(2), None),
            other => (false, Some(refusal(other, 1 + self.dice.below(8)))),
        };
        let response = (self.mood != Mood::Silent).then_some(response);
        self.on_the_way.push(Request {
            at: Instant::now() + Duration::from_millis(latency),
            room,
            event,
            acts,
            instead,
            response,
        });
        Ok(outcome)
    }

    /// When it has something to do.
    pub fn next(&self) -> Option<Instant> {
        self.on_the_way.iter().map(|request| request.at).min()
    }

    /// Does what is due.
    pub fn turn(&mut self) {
        let now = Instant::now();
        let mut due: Vec<Request> = self
            .on_the_way
            .extract_if(.., |one| one.at <= now)
            .collect();
        due.sort_by_key(|request| request.at);
        for request in due {
            let outcome = match request.acts {
                true => self.act(&request.room, request.event),
                false => error("cut-off", true),
            };
            if let Some(response) = request.response {
                let _ = response.send(request.instead.unwrap_or(outcome));
            }
        }
    }

    fn act(&mut self, room: &str, mut event: Event) -> Outcome {
        if self.forbidden.contains(room) {
            self.refused.insert(event.transaction);
            return Ok(response(403, r#"{"errcode":"M_FORBIDDEN"}"#));
        }
        self.refused.remove(&event.transaction);
        let now = Instant::now();
        let transaction = (room.to_owned(), event.transaction.clone());
        let known = self.remembered.get(&transaction);
        if let Some((id, at)) = known
            && now - *at < REMEMBERED
        {
            self.repeated += 1;
            return Ok(sent(id));
        }
        let events = self.rooms.entry(room.to_owned()).or_default();
        event.number = events.len();
        event.at = clock::unix(self.start);
        let id = event.id(room);
        events.push(event);
        self.remembered.insert(transaction, (id.clone(), now));
        Ok(sent(&id))
    }

    pub fn find(
        &mut self,
        caller: &Caller,
        call: &PreparedCall,
        search: Search,
    ) -> Result<SentEvent, Outcome> {
        self.searches += 1;
        let (room, wanted) = self.event(caller, call);
        if self.forbidden.contains(&room) {
            self.refused.insert(wanted.transaction);
            return Err(Ok(response(403, r#"{"errcode":"M_FORBIDDEN"}"#)));
        }
        let is = |event: &&Event| {
            let is_own = event.sender == wanted.sender;
            match self.shows_ids && is_own {
                true => event.transaction == wanted.transaction,
                false => search.since.is_some_and(|since| {
                    is_own
                        && event.at >= since.saturating_sub(CLOCKS)
                        && event.content == wanted.content
                }),
            }
        };
        let events = self.rooms.get(&room);
        let found = events.and_then(|events| events.iter().rev().find(is));
        Ok(match found {
            Some(event) => {
                self.found += 1;
                SentEvent::Found(sent(&event.id(&room)))
            }
            None => SentEvent::NotFound,
        })
    }

    fn event(&self, caller: &Caller, call: &PreparedCall) -> (String, Event) {
        let path = call.request().path();
        let [.., room, _, _, transaction] = path else {
            panic!("{path:?} sends no message");
        };
        let token = caller.token.as_ref();
        let event = Event {
            transaction: transaction.clone(),
            content: call.request().body().expect("it has one").to_vec(),
            sender: token.map_or_else(String::new, |token| {
                token.bearer().expose_secret().to_owned()
            }),
            at: 0,
            number: 0,
        };
        (room.clone(), event)
    }

    /// The event of an id.
    pub fn event_of(&self, id: &str) -> Option<&Event> {
        let (number, room) = id.strip_prefix('$')?.split_once('!')?;
        let events = self.rooms.get(&format!("!{room}"))?;
        events.get(number.parse::<usize>().ok()?)
    }
}
