//! The event loop: datagrams into the endpoint, its requests into exchanges, their responses back, until the gateway
//! stops.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Sleep, sleep_until};

use crate::daemon::service_manager::{self, Watchdog};
use crate::deferred_datagrams::DeferredDatagrams;
use crate::devices::Devices;
use crate::dispatcher::Dispatcher;
use crate::listeners::Listeners;
use crate::observe::ObserveBroker;
use crate::request::Gateway;
use crate::secured::{DeviceEndpoint, protection};
use crate::status_observers::StatusObservers;
use crate::telemetry::operator;
use crate::telemetry::refusal_log::RefusalLog;
use crate::time_shares::TimeShares;
use transport::UdpTransport;

/// Datagrams sent by one system call: as many as one receives.
const DATAGRAMS_PER_CALL: usize = 32;
/// The pause after a socket error: the loop does not spin on a persistent one.
const ERROR_PAUSE: Duration = Duration::from_millis(10);
/// The timer while no deadline is set.
const NEVER: Duration = Duration::from_secs(3600);

/// Serves until `stop` completes; then exchanges in flight have the snapshot's `limits.drain` to end. Returns how many
/// did not end.
pub async fn serve(
    transports: Vec<UdpTransport>,
    gateway: &Gateway,
    stop: impl Future<Output = ()>,
) -> usize {
    let snapshot = gateway.snapshots.load().clone();
    let mut seed = [0; 16];
    getrandom::fill(&mut seed)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    let public_keys = gateway.devices().map(Devices::public_keys);
    let public_keys = public_keys.unwrap_or_default();
    let mut listeners = Listeners::new(transports);
    let mut dispatcher = Dispatcher {
        endpoint: DeviceEndpoint::with_protection(
            snapshot.limits.coap.clone(),
            seed,
            protection(public_keys),
        ),
        observations: ObserveBroker::new(snapshot.limits.observation),
        status_observers: StatusObservers::default(),
        gateway,
        snapshot,
        pending: FuturesUnordered::new(),
        time_shares: TimeShares::default(),
        deferred: DeferredDatagrams::default(),
        local_addresses: listeners.local_addresses(),
        draining: false,
        coaps: None,
        refused_messages: 0,
    };
    dispatcher.endpoint.judge_first_blocks();
    dispatcher.apply_known_options();
    let mut timer = Box::pin(sleep_until(tokio::time::Instant::now() + NEVER));
    let mut stop = Box::pin(stop.fuse());
    let mut drained_at = None;
    let mut refusal_log = RefusalLog::default();
    let mut watchdog = Watchdog::from_environment(Instant::now());

    loop {
        dispatcher.apply_snapshot(Instant::now());
        dispatcher.apply_devices(Instant::now(), &mut listeners);
        dispatcher.store_reservations();
        // Here and not only at the timer: under a flood the socket is always ready first.
        dispatcher.handle_timeout(Instant::now());
        watchdog.handle_timeout(Instant::now());
        dispatcher.deliver(Instant::now());
        dispatcher.notify();
        flush(&mut dispatcher, &listeners);
        let endpoint = &dispatcher.endpoint;
        log_refusals(&mut refusal_log, endpoint);
        gateway.line_shares.report(Instant::now());
        if let Some(end) = drained_at
            && (endpoint.in_flight() == 0 || Instant::now() >= end)
        {
            let in_flight = endpoint.in_flight();
            dispatcher.close_sessions();
            flush(&mut dispatcher, &listeners);
            return in_flight;
        }
        let deadlines = [
            dispatcher.next_timeout(),
            drained_at,
            refusal_log.next(),
            gateway.line_shares.next(),
            watchdog.next_timeout(),
        ];
        arm(timer.as_mut(), deadlines);
        let draining = dispatcher.draining;
        let has_deferred = !dispatcher.deferred.is_empty();
        tokio::select! {
            biased;
            () = stop.as_mut() => {
                let drain = dispatcher.snapshot.limits.drain;
                let in_flight = dispatcher.endpoint.in_flight();
                tracing::info!(
                    target: operator::TARGET,
                    "stopping: {in_flight} exchanges in flight have {} s to end",
                    drain.as_secs()
                );
                service_manager::stopping(in_flight, drain);
                dispatcher.draining = true;
                drained_at = Some(Instant::now() + drain);
                dispatcher.observations.end_all();
            }
            with_holders = gateway.recorder.loop_probe.requested() => {
                gateway.recorder.loop_probe.publish(dispatcher.state(with_holders));
            }
            Some(completion) = dispatcher.pending.next() => dispatcher.complete(completion),
            // Before datagrams: a device that was just enrolled is served, and one that was removed is not.
            () = devices_changed(gateway), if !draining => {}
            ready = listeners.readable(draining) => {
                // These datagrams may have left after an operator had read that a device is enrolled, or removed.
                dispatcher.apply_devices(Instant::now(), &mut listeners);
                match ready.and_then(|()| receive(&mut listeners, &mut dispatcher)) {
                    Ok(false) => {}
                    // Connections to homeservers share this thread: so they get a turn under a flood too.
                    Ok(true) => tokio::task::yield_now().await,
                    Err(error) => {
                        tracing::warn!("socket error: {error}");
                        tokio::time::sleep(ERROR_PAUSE).await;
                    }
                }
            }
            () = gateway.snapshots.changed(), if !draining => {}
            () = outbox_changed(gateway), if !draining => {}
            () = timer.as_mut() => {}
            // Last, and after the system had a chance to report other datagrams.
            () = tokio::task::yield_now(), if has_deferred => dispatcher.process_deferred(),
        }
    }
}

/// Completes when deliveries may have a turn; never without an outbox.
async fn outbox_changed(gateway: &Gateway) {
    match gateway.deliveries() {
        Some(deliveries) => deliveries.changed().await,
        None => std::future::pending().await,
    }
}

/// Completes when operators have changed devices; never without a store.
async fn devices_changed(gateway: &Gateway) {
    match gateway.devices() {
        Some(devices) => devices.changed().await,
        None => std::future::pending().await,
    }
}

fn receive(listeners: &mut Listeners, dispatcher: &mut Dispatcher<'_>) -> std::io::Result<bool> {
    listeners.receive(dispatcher.draining, |peer, cast, datagram| {
        dispatcher.receive(peer, cast, datagram);
    })
}

fn flush(dispatcher: &mut Dispatcher<'_>, listeners: &Listeners) {
    loop {
        let batch: Vec<_> = std::iter::from_fn(|| dispatcher.poll_transmit())
            .take(DATAGRAMS_PER_CALL)
            .collect();
        if batch.is_empty() {
            return;
        }
        listeners.send(&batch);
    }
}

fn log_refusals(log: &mut RefusalLog, endpoint: &DeviceEndpoint) {
    let latest = endpoint
        .latest_refusal()
        .map(|(peer, code)| (peer.remote, code));
    match log.poll(Instant::now(), endpoint.counters(), latest) {
        Some(report) if report.limit_reached => tracing::warn!("{}", report.line),
        Some(report) => tracing::info!("{}", report.line),
        None => {}
    }
}

/// Moves the timer only to an earlier time, or after it has elapsed: most deadlines are cancelled before they pass.
fn arm(mut timer: Pin<&mut Sleep>, deadlines: impl IntoIterator<Item = Option<Instant>>) {
    let wanted = deadlines
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| Instant::now() + NEVER);
    if timer.is_elapsed() || wanted < timer.deadline().into_std() {
        timer.as_mut().reset(wanted.into());
    }
}
