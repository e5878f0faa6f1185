//! The loop: datagrams into the endpoint, its requests into exchanges, their answers back, until told to stop.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Sleep, sleep_until};

use crate::daemon::service_manager::{self, Watchdog};
use crate::dispatcher::Dispatcher;
use crate::observe::ObserveBroker;
use crate::request::Gateway;
use crate::telemetry::refusal_log::RefusalLog;
use coap::{self, Endpoint};
use transport::{UdpPeer, UdpTransport};

/// Batches received before answers are sent: under a flood, answers must still leave.
const BATCHES_PER_TURN: usize = 4;
/// Datagrams sent by one system call: as many as one receives.
const DATAGRAMS_PER_CALL: usize = 32;
/// After a socket error, so that a persistent one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);
/// The timer while the endpoint waits for nothing.
const NEVER: Duration = Duration::from_secs(3600);

/// Serves until `stop` is done, then ends what runs, for at most `limits.drain` of the service. Returns how many exchanges did
/// not end.
pub async fn serve(
    mut transport: UdpTransport,
    gateway: &Gateway,
    stop: impl Future<Output = ()>,
) -> usize {
    let service = gateway.snapshots.load().clone();
    let mut seed = [0; 16];
    getrandom::fill(&mut seed)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    let mut dispatcher = Dispatcher {
        endpoint: Endpoint::new(service.limits.coap.clone(), seed),
        hub: ObserveBroker::new(service.limits.observation),
        gateway,
        service,
        pending: FuturesUnordered::new(),
        bodies: 0,
        local: transport.local_addr().ok(),
        draining: false,
    };
    let mut timer = Box::pin(sleep_until(tokio::time::Instant::now() + NEVER));
    let mut stop = Box::pin(stop.fuse());
    let mut drained_at = None;
    let mut report = RefusalLog::default();
    let mut watchdog = Watchdog::from_environment(Instant::now());

    loop {
        dispatcher.follow(Instant::now());
        // Here and not only at the timer: under a flood the socket is always the first to be ready.
        dispatcher.handle_timeout(Instant::now());
        watchdog.handle_timeout(Instant::now());
        dispatcher.notify();
        let endpoint = &mut dispatcher.endpoint;
        flush(endpoint, &transport);
        tell(&mut report, endpoint);
        if let Some(end) = drained_at
            && (endpoint.in_flight() == 0 || Instant::now() >= end)
        {
            return endpoint.in_flight();
        }
        arm(
            timer.as_mut(),
            [
                dispatcher.next_timeout(),
                drained_at,
                report.next(),
                watchdog.next_timeout(),
            ],
        );
        tokio::select! {
            biased;
            () = stop.as_mut() => {
                let drain = dispatcher.service.limits.drain;
                tracing::info!("stopping: {} exchanges in flight have {} s to end", dispatcher.endpoint.in_flight(), drain.as_secs());
                service_manager::stopping(dispatcher.endpoint.in_flight(), drain);
                dispatcher.draining = true;
                drained_at = Some(Instant::now() + drain);
                dispatcher.hub.finish_all();
            }
            () = gateway.recorder.loop_probe.requested() => gateway.recorder.loop_probe.publish(dispatcher.state()),
            Some(done) = dispatcher.pending.next() => dispatcher.finish(done),
            // Requests that come while this gateway ends wait in a socket that outlives it, for the next one.
            ready = transport.readable(), if !(dispatcher.draining && transport.is_handed_over()) => {
                match ready.and_then(|()| receive(&mut transport, &mut dispatcher)) {
                    Ok(false) => {}
                    // Connections to homeservers share this thread; they get their turn in a flood too.
                    Ok(true) => tokio::task::yield_now().await,
                    Err(error) => {
                        tracing::warn!("the socket reports: {error}");
                        tokio::time::sleep(ERROR_PAUSE).await;
                    }
                }
            }
            () = gateway.snapshots.changed(), if !dispatcher.draining => {}
            () = timer.as_mut() => {}
        }
    }
}

/// Takes the datagrams that are there, up to a turn's worth. Returns whether there may be more.
fn receive(transport: &mut UdpTransport, dispatcher: &mut Dispatcher<'_>) -> io::Result<bool> {
    let now = Instant::now();
    for _ in 0..BATCHES_PER_TURN {
        if !transport.receive(|peer, arrival, datagram| {
            dispatcher.receive(now, peer, arrival, datagram);
        })? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn flush(endpoint: &mut Endpoint<UdpPeer>, transport: &UdpTransport) {
    loop {
        let batch: Vec<_> = std::iter::from_fn(|| endpoint.poll_transmit())
            .take(DATAGRAMS_PER_CALL)
            .collect();
        if batch.is_empty() {
            return;
        }
        // A datagram that the system does not take is lost like one on the way: CoAP repeats what matters.
        transport.send(&batch, |peer, error| {
            tracing::debug!("no datagram to {}: {error}", peer.remote);
        });
    }
}

fn tell(report: &mut RefusalLog, endpoint: &Endpoint<UdpPeer>) {
    let latest = endpoint
        .latest_refusal()
        .map(|(peer, code)| (peer.remote, code));
    match report.poll(Instant::now(), endpoint.counters(), latest) {
        Some(report) if report.limit_reached => tracing::warn!("{}", report.line),
        Some(report) => tracing::info!("{}", report.line),
        None => {}
    }
}

/// Moves the timer only to an earlier time, or once it has passed: most deadlines are met and never waited for.
fn arm(mut timer: Pin<&mut Sleep>, deadlines: [Option<Instant>; 4]) {
    let wanted = deadlines
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| Instant::now() + NEVER);
    if timer.is_elapsed() || wanted < timer.deadline().into_std() {
        timer.as_mut().reset(wanted.into());
    }
}
