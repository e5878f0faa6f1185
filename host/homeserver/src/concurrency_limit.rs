//! How many calls a homeserver gets at once.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// A limit of calls in flight, and their queue. Cheap to clone.
#[derive(Clone)]
pub struct ConcurrencyLimit(Arc<ConcurrencyLimitInner>);

struct ConcurrencyLimitInner {
    /// Permits of `in_flight` and `admitted` without any call.
    sizes: [usize; 2],
    in_flight: Semaphore,
    /// In flight and waiting together.
    admitted: Semaphore,
}

impl ConcurrencyLimit {
    /// At most `in_flight` calls at once, and at most `queued` that wait.
    #[must_use]
    pub fn new(in_flight: usize, queued: usize) -> Self {
        let admitted = in_flight.saturating_add(queued).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(ConcurrencyLimitInner {
            sizes: [in_flight, admitted],
            in_flight: Semaphore::new(in_flight),
            admitted: Semaphore::new(admitted),
        }))
    }

    /// The numbers of calls in flight and of waiting calls.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let [in_flight, admitted] = self.0.sizes;
        let in_flight = in_flight.saturating_sub(self.0.in_flight.available_permits());
        let admitted = admitted.saturating_sub(self.0.admitted.available_permits());
        (in_flight, admitted.saturating_sub(in_flight))
    }

    /// Waits for a slot; none at once if the queue is full.
    pub(super) async fn take(&self) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let admitted = self.0.admitted.try_acquire().ok()?;
        let slot = self.0.in_flight.acquire().await.ok()?;
        Some((admitted, slot))
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn calls_beyond_the_slots_wait_and_beyond_the_queue_are_refused() {
        let slots = ConcurrencyLimit::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(slots.take());
        let Poll::Ready(Some(held)) = first.as_mut().poll(&mut context) else {
            panic!("the first is served")
        };
        let mut second = Box::pin(slots.take());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(slots.used(), (1, 1));
        assert!(matches!(
            Box::pin(slots.take()).as_mut().poll(&mut context),
            Poll::Ready(None)
        ));
        drop(held);
        assert_eq!(slots.used().1, 0);
        assert!(matches!(
            second.as_mut().poll(&mut context),
            Poll::Ready(Some(_))
        ));
    }
}
