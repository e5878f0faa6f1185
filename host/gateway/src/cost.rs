//! The time that a request takes of the thread while it waits for a homeserver.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant};

use share::Owner;

/// What a request has cost, to be counted at its end.
pub(crate) struct Cost {
    pub(crate) owner: Owner,
    /// Time of the thread since it waited for a homeserver.
    pub(crate) time: Duration,
}

/// The output of a future, and the time that polling it took.
pub(crate) async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let mut future = pin!(future);
    let mut time = Duration::ZERO;
    let output = poll_fn(|context| {
        let began = Instant::now();
        let polled = future.as_mut().poll(context);
        time += began.elapsed();
        polled
    })
    .await;
    (output, time)
}
