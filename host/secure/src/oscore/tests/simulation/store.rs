//! A store that is slow, and loses what is not written when the power fails.

use std::collections::{HashMap, VecDeque};

use super::super::*;
use super::random::Random;

#[derive(Default)]
pub(crate) struct Store {
    /// What it has.
    ends: HashMap<Identifier, u64>,
    /// Writes in progress.
    writing: VecDeque<Reservation>,
    /// Written, but the gateway does not know.
    written: VecDeque<Reservation>,
}

impl Store {
    /// The stored end of a context; 0 if there is none.
    pub(crate) fn end(&self, kid: Identifier) -> u64 {
        self.ends.get(&kid).copied().unwrap_or(0)
    }

    /// Takes what the contexts want to have stored.
    pub(crate) fn ask(&mut self, contexts: &mut Contexts) {
        self.writing
            .extend(std::iter::from_fn(|| contexts.poll_reservation()));
    }

    /// Finishes a write.
    pub(crate) fn write(&mut self) {
        if let Some(reservation) = self.writing.pop_front() {
            self.ends.insert(reservation.kid, reservation.end);
            self.written.push_back(reservation);
        }
    }

    /// The contexts learn of a finished write.
    pub(crate) fn confirm(&mut self, contexts: &mut Contexts) {
        if let Some(reservation) = self.written.pop_front() {
            contexts.reserved(&reservation);
        }
    }

    /// Whether it has work.
    pub(crate) fn is_busy(&self) -> bool {
        !self.writing.is_empty() || !self.written.is_empty()
    }

    /// The power fails: a write in progress is done or not.
    pub(crate) fn cut(&mut self, random: &mut Random) {
        if random.once_in(2) {
            self.write();
        }
        self.writing.clear();
        self.written.clear();
    }

    /// Forgets a context, because another one has its place.
    pub(crate) fn forget(&mut self, kid: Identifier) {
        self.ends.remove(&kid);
    }
}
