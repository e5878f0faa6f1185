//! How many calls a homeserver gets at once, and how many of them for one host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use share::{Amount, Bounds, Owner, Shares};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// A host has an eighth of the slots: while its calls wait for a slow homeserver, those of seven others run.
const PARTS: usize = 8;

/// A limit of calls in flight, and their queue. Cheap to clone.
#[derive(Clone)]
pub struct ConcurrencyLimit(Arc<ConcurrencyLimitInner>);

struct ConcurrencyLimitInner {
    /// Slots of all hosts.
    size: usize,
    in_flight: Semaphore,
    hosts: Mutex<Hosts>,
}

struct Hosts {
    /// Calls in flight and waiting together.
    admitted: Shares,
    /// The slots of each host with such calls.
    slots: HashMap<u64, Arc<Semaphore>>,
}

/// A call that may be sent. The fields are dropped in this order: a host without calls has its slots back.
pub(super) struct Slot<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_host: OwnedSemaphorePermit,
    _admission: Admission<'a>,
}

/// A call that is in flight or waits.
struct Admission<'a> {
    limit: &'a ConcurrencyLimitInner,
    owner: Owner,
}

impl ConcurrencyLimit {
    /// At most `in_flight` calls at once, and at most `queued` that wait.
    #[must_use]
    pub fn new(in_flight: usize, queued: usize) -> Self {
        let size = in_flight.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(ConcurrencyLimitInner {
            size,
            in_flight: Semaphore::new(size),
            hosts: Mutex::new(Hosts {
                admitted: Shares::new(Bounds::of_pieces(size.saturating_add(queued))),
                slots: HashMap::new(),
            }),
        }))
    }

    /// The numbers of calls in flight and of waiting calls.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let in_flight = self.0.size - self.0.in_flight.available_permits();
        let admitted = self.0.hosts().admitted.in_all().pieces;
        (in_flight, admitted.saturating_sub(in_flight))
    }

    /// Waits for a slot of the host, then for one of all: so of one host no more calls than its slots are before those
    /// of others. None at once if the queue is full, or the host's part of it.
    pub(super) async fn take(&self, owner: Owner) -> Option<Slot<'_>> {
        let (admission, slots) = self.0.admit(owner)?;
        let of_host = slots.acquire_owned().await.ok()?;
        let of_all = self.0.in_flight.acquire().await.ok()?;
        Some(Slot {
            _of_all: of_all,
            _of_host: of_host,
            _admission: admission,
        })
    }
}

impl ConcurrencyLimitInner {
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        // Each change is complete before anything in it can panic.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, owner: Owner) -> Option<(Admission<'_>, Arc<Semaphore>)> {
        let mut hosts = self.hosts();
        hosts.admitted.take(owner, Amount::piece(0)).ok()?;
        let of_host = || Arc::new(Semaphore::new(self.size.div_ceil(PARTS)));
        let slots = hosts.slots.entry(owner.holder()).or_insert_with(of_host);
        let admission = Admission { limit: self, owner };
        Some((admission, slots.clone()))
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut hosts = self.limit.hosts();
        hosts.admitted.give_back(self.owner, Amount::piece(0));
        if hosts.admitted.held_by_holder(self.owner).pieces == 0 {
            hosts.slots.remove(&self.owner.holder());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Taking<'a> = std::pin::Pin<Box<dyn Future<Output = Option<Slot<'a>>> + 'a>>;

    fn taking(limit: &ConcurrencyLimit, host: u64) -> Taking<'_> {
        Box::pin(limit.take(Owner::new(host, None)))
    }

    fn poll<'a>(taking: &mut Taking<'a>) -> Poll<Option<Slot<'a>>> {
        taking
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn calls_beyond_the_slots_wait_and_beyond_the_queue_are_refused() {
        let slots = ConcurrencyLimit::new(1, 1);
        let mut first = taking(&slots, 1);
        let Poll::Ready(Some(held)) = poll(&mut first) else {
            panic!("the first is served")
        };
        let mut second = taking(&slots, 2);
        assert!(poll(&mut second).is_pending());
        assert_eq!(slots.used(), (1, 1));
        assert!(matches!(poll(&mut taking(&slots, 3)), Poll::Ready(None)));
        drop(held);
        assert_eq!(slots.used().1, 0);
        assert!(matches!(poll(&mut second), Poll::Ready(Some(_))));
    }

    #[test]
    fn a_host_has_an_eighth_of_the_slots_and_of_the_queue_and_leaves_nothing() {
        let slots = ConcurrencyLimit::new(16, 64);
        let mut calls: Vec<_> = (0..100).map(|_| taking(&slots, 1)).collect();
        let polled: Vec<_> = calls.iter_mut().map(poll).collect();
        let kind = |polled: &Poll<Option<Slot>>| match polled {
            Poll::Ready(Some(_)) => 0,
            Poll::Pending => 1,
            Poll::Ready(None) => 2,
        };
        let count = |of: usize| polled.iter().filter(|one| kind(one) == of).count();
        assert_eq!(
            [0, 1, 2].map(count),
            [2, 8, 90],
            "in flight, waiting, refused"
        );
        assert!(
            matches!(poll(&mut taking(&slots, 2)), Poll::Ready(Some(_))),
            "another host does not wait"
        );
        drop((polled, calls));
        assert_eq!(slots.used(), (0, 0));
        assert!(slots.0.hosts().slots.is_empty());
    }
}
