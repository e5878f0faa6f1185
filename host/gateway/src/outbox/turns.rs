//! Messages of one device to one lane that are attempted at once: one after the other, so that they keep their order
//! when the first of them has to be stored.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// The lane and the device.
type Key = (u64, u64);

/// The turns of messages in flight.
#[derive(Default)]
pub(super) struct Turns(Rc<RefCell<HashMap<Key, std::sync::Arc<Mutex<()>>>>>);

/// A message's turn, until it is dropped.
pub(super) struct TurnGuard {
    turns: Rc<RefCell<HashMap<Key, std::sync::Arc<Mutex<()>>>>>,
    key: Key,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until those before have ended.
    pub(super) async fn take(&self, lane: u64, device: u64) -> TurnGuard {
        let key = (lane, device);
        let mutex = self.0.borrow_mut().entry(key).or_default().clone();
        // Made before the wait: also a message that stops waiting leaves nothing behind.
        let mut turn = TurnGuard {
            turns: self.0.clone(),
            key,
            guard: None,
        };
        turn.guard = Some(mutex.lock_owned().await);
        turn
    }
}

impl Drop for TurnGuard {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut turns = self.turns.borrow_mut();
        // Of the map alone: nobody has it or waits for it.
        let is_last = turns
            .get(&self.key)
            .is_some_and(|mutex| std::sync::Arc::strong_count(mutex) == 1);
        if is_last {
            turns.remove(&self.key);
        }
    }
}
