//! What the outbox keeps in memory of a delivery. There are tens of thousands: times are whole seconds in 32 bits.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::accepted::{Accepted, Origin};
use contract::DeliveryId;

/// The number of a record: greater for one that was accepted later. It is the record's key in the store.
pub type RecordNumber = u64;

/// Whether a delivery waits or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn, or is in flight.
    Waiting,
    /// The homeserver has it.
    Sent,
    /// It will not be attempted again, unless the operator or its device asks for it.
    Failed,
}

/// A delivery of which the outbox knows. Its content is in the store.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Its id.
    pub id: DeliveryId,
    /// Where it comes from and goes.
    pub origin: Origin,
    /// Whether it waits.
    pub state: State,
    pub(crate) message: [u8; 16],
    pub(crate) is_proven: bool,
    pub(crate) name: u64,
    pub(crate) bytes: u32,
    pub(crate) at: Option<NonZeroU32>,
    /// Unix time of the end.
    pub(crate) ended_at: Option<NonZeroU32>,
    /// Seconds since the start of the outbox's clock: when it was accepted or restored.
    pub(crate) entered: u32,
    pub(crate) entered_by: EnteredBy,
    /// When it came into its state or was restored.
    pub(crate) since: u32,
    /// Seconds in this state before this process.
    pub(crate) before: u32,
    pub(crate) attempts: u32,
    pub(crate) uncertain: Uncertain,
}

/// How a record came into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnteredBy {
    /// The gateway has accepted it.
    Accepting,
    /// It waits again, after it had failed.
    Reviving,
    /// It was in the store.
    Restoring,
}

/// Since when an attempt can have had an effect that the gateway does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncertain {
    /// No attempt can.
    No,
    /// Since this second of the outbox's clock.
    Since(u32),
    /// The homeserver may not recognise it any more: an attempt was before the gateway was started, when its clock may
    /// have stood still, or had another access token. It was at the earliest when the record was accepted, or a
    /// lifetime of a message ID before.
    Forgotten,
}

impl Record {
    pub(crate) fn new(accepted: &Accepted, now: Duration, state: State) -> Self {
        Self {
            id: accepted.id,
            origin: accepted.origin,
            state,
            message: accepted.message,
            is_proven: accepted.is_proven,
            name: accepted.name,
            bytes: u32::try_from(accepted.bytes).unwrap_or(u32::MAX),
            at: unix(accepted.at),
            ended_at: None,
            entered: seconds(now),
            entered_by: EnteredBy::Accepting,
            since: seconds(now),
            before: 0,
            attempts: 0,
            uncertain: Uncertain::No,
        }
    }

    /// Bytes of its record.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Unix time of the acceptance; none while the clock was not set.
    #[must_use]
    pub fn accepted_at(&self) -> Option<u64> {
        self.at.map(|at| at.get().into())
    }

    /// Unix time of the end; none if it waits, or the clock was not set.
    #[must_use]
    pub fn ended_at(&self) -> Option<u64> {
        self.ended_at.map(|at| at.get().into())
    }

    /// Attempts since the gateway was started.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long ago it was accepted. Before this process, the clock says that; if it was set back it counts as not set,
    /// and the time counts since the start of the gateway. In this process it does not count: a router whose clock was
    /// wrong sets it by months.
    #[must_use]
    pub fn age(&self, now: Duration, unix: Option<u64>) -> Duration {
        let here = since(now, self.entered);
        match self.entered_by {
            EnteredBy::Accepting => here,
            EnteredBy::Reviving | EnteredBy::Restoring => {
                elapsed(unix, self.accepted_at()).unwrap_or(here)
            }
        }
    }

    /// How long it has waited, since it was accepted or revived. What was before this process is the clock's difference
    /// when it was restored: a clock that is set later makes no message older.
    #[must_use]
    pub fn waited(&self, now: Duration) -> Duration {
        let before = Duration::from_secs(self.before.into());
        before + since(now, self.entered)
    }

    /// How long ago it ended, likewise.
    pub(crate) fn ended_for(&self, now: Duration) -> Duration {
        let before = Duration::from_secs(self.before.into());
        before + since(now, self.since)
    }

    /// It was in the store, in this state since that Unix time.
    pub(crate) fn restored(&mut self, unix: Option<u64>, since: Option<u64>) {
        self.entered_by = EnteredBy::Restoring;
        self.before = elapsed(unix, since).map_or(0, seconds);
    }

    /// How long ago the first attempt was that can have had an effect.
    pub(crate) fn uncertain_for(&self, now: Duration) -> Option<Duration> {
        match self.uncertain {
            Uncertain::No => None,
            Uncertain::Since(second) => Some(since(now, second)),
            Uncertain::Forgotten => Some(Duration::MAX),
        }
    }

    /// The Unix time of that.
    pub(crate) fn uncertain_since(&self, now: Duration, unix: Option<u64>) -> Option<u64> {
        match self.uncertain {
            Uncertain::No => None,
            Uncertain::Since(second) => {
                unix.map(|unix| unix.saturating_sub(since(now, second).as_secs()))
            }
            Uncertain::Forgotten => self.accepted_at(),
        }
    }
}

pub(crate) fn seconds(now: Duration) -> u32 {
    u32::try_from(now.as_secs()).unwrap_or(u32::MAX)
}

/// Unix time in 32 bits without a sign: until the year 2106.
pub(crate) fn unix(at: Option<u64>) -> Option<NonZeroU32> {
    at.and_then(|at| u32::try_from(at).ok())
        .and_then(NonZeroU32::new)
}

fn since(now: Duration, second: u32) -> Duration {
    now.saturating_sub(Duration::from_secs(second.into()))
}

fn elapsed(unix: Option<u64>, at: Option<u64>) -> Option<Duration> {
    let seconds = unix?.checked_sub(at?)?;
    Some(Duration::from_secs(seconds))
}
