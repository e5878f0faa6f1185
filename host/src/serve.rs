//! The loop: datagrams into the endpoint, its requests into exchanges, their answers back, until told to stop.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Sleep, sleep_until};

use crate::coap::{self, Endpoint, ExchangeId};
use crate::endpoint_report::EndpointReport;
use crate::exchange::{Answer, Follows, Gateway, Progress, Refusal, Request};
use crate::observation::{Hub, ObservationLimits, PollId, Polled};
use crate::transport::{UdpPeer, UdpTransport};

/// Batches received before answers are sent: under a flood, answers must still leave.
const BATCHES_PER_TURN: usize = 4;
/// Notifications sent before anything else is done: a room with ten thousand observers must not keep requests waiting.
const NOTIFICATIONS_PER_TURN: usize = 64;
/// Bytes of request bodies in flight: 256 of the largest Matrix events. Beyond it new requests are answered 5.03, or a slow
/// homeserver and a few busy devices would take all of a router's memory.
const BODIES_IN_FLIGHT: usize = 16 << 20;
/// After a socket error, so that a persistent one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);
/// The timer while the endpoint waits for nothing.
const NEVER: Duration = Duration::from_secs(3600);

/// What was waited for.
enum Done {
    /// The answer to a request whose body had this many bytes.
    Answered(ExchangeId, Answer, usize),
    /// What came of asking a homeserver on behalf of observers.
    Polled(PollId, Polled),
}

/// Bounds of serving.
#[derive(Clone, Debug)]
pub struct ServeLimits {
    /// Of the endpoint.
    pub coap: coap::Limits,
    /// Of observations.
    pub observation: ObservationLimits,
    /// For what runs when it is told to stop.
    pub drain: Duration,
}

/// Serves until `stop` is done, then ends what runs, for at most `limits.drain`. Returns how many exchanges did not end.
pub async fn serve(
    mut transport: UdpTransport,
    limits: ServeLimits,
    gateway: &Gateway,
    stop: impl Future<Output = ()>,
) -> usize {
    let drain = limits.drain;
    let mut seed = [0; 16];
    getrandom::fill(&mut seed)
        .unwrap_or_else(|error| panic!("no random numbers from the system: {error}"));
    let mut endpoint = Endpoint::<UdpPeer>::new(limits.coap, seed);
    let mut hub = Hub::new(limits.observation);
    let mut pending: FuturesUnordered<LocalBoxFuture<'_, Done>> = FuturesUnordered::new();
    let mut timer = Box::pin(sleep_until(tokio::time::Instant::now() + NEVER));
    let mut stop = Box::pin(stop.fuse());
    let mut drained_at = None;
    let mut bodies = 0;
    let mut report = EndpointReport::default();

    loop {
        while let Some(incoming) = endpoint.poll_request() {
            let id = incoming.id;
            let body = incoming.request.payload.len();
            let request = Request {
                peer: incoming.peer.remote,
                message_type: incoming.message_type,
                message: incoming.request,
                observes: incoming.observes,
                wire_bytes: incoming.wire_bytes,
            };
            let refusal = if drained_at.is_some() {
                Some(Refusal::Draining)
            } else {
                (bodies + body > BODIES_IN_FLIGHT).then_some(Refusal::Busy)
            };
            if let Some(refusal) = refusal {
                let response = Gateway::refuse(&request, &refusal);
                endpoint.respond(Instant::now(), id, response);
                continue;
            }
            match gateway.begin(request) {
                Progress::Answered(answer) => {
                    respond(&mut endpoint, &mut hub, gateway, id, answer);
                }
                Progress::Waiting(waiting) => {
                    bodies += body;
                    pending.push(Box::pin(async move {
                        Done::Answered(id, gateway.finish(waiting).await, body)
                    }));
                }
            }
        }
        // Here and not only at the timer: under a flood the socket is always the first to be ready.
        if endpoint
            .next_timeout()
            .is_some_and(|due| due <= Instant::now())
        {
            endpoint.handle_timeout(Instant::now());
        }
        notify(&mut endpoint, &mut hub);
        if hub.next_timeout().is_some_and(|due| due <= Instant::now()) {
            hub.handle_timeout(Instant::now());
            while let Some(call) = hub.poll_call(gateway, Instant::now()) {
                pending.push(Box::pin(async {
                    let (id, polled) = call.make(&gateway.upstreams).await;
                    Done::Polled(id, polled)
                }));
            }
        }
        flush(&mut endpoint, &transport);
        tell(&mut report, &endpoint);
        if let Some(end) = drained_at
            && (endpoint.in_flight() == 0 || Instant::now() >= end)
        {
            return endpoint.in_flight();
        }
        arm(
            timer.as_mut(),
            [
                endpoint.next_timeout(),
                drained_at,
                report.next(),
                hub.next_timeout(),
                hub.has_ready().then(Instant::now),
            ],
        );
        tokio::select! {
            biased;
            () = stop.as_mut() => {
                tracing::info!("stopping: {} exchanges in flight have {} s to end", endpoint.in_flight(), drain.as_secs());
                drained_at = Some(Instant::now() + drain);
                hub.finish_all();
            }
            Some(done) = pending.next() => match done {
                Done::Answered(id, answer, body) => {
                    bodies -= body;
                    respond(&mut endpoint, &mut hub, gateway, id, answer);
                }
                Done::Polled(id, polled) => hub.polled(Instant::now(), id, polled),
            },
            ready = transport.readable() => {
                match ready.and_then(|()| receive(&mut transport, &mut endpoint)) {
                    Ok(false) => {}
                    // Connections to homeservers share this thread; they get their turn in a flood too.
                    Ok(true) => tokio::task::yield_now().await,
                    Err(error) => {
                        tracing::warn!("the socket reports: {error}");
                        tokio::time::sleep(ERROR_PAUSE).await;
                    }
                }
            }
            () = timer.as_mut() => {}
        }
    }
}

/// Answers a request, and does what follows.
fn respond(
    endpoint: &mut Endpoint<UdpPeer>,
    hub: &mut Hub,
    gateway: &Gateway,
    id: ExchangeId,
    answer: Answer,
) {
    let now = Instant::now();
    let mut message = answer.message;
    match answer.follows {
        None => endpoint.respond(now, id, message),
        Some(Follows::LoggedOut(account)) => {
            endpoint.respond(now, id, message);
            hub.logged_out(&account);
        }
        Some(Follows::Observation(registration)) => {
            let Some(prepared) = hub.prepare(gateway, now, *registration) else {
                return endpoint.respond(now, id, message);
            };
            hub.keep_fresh(&mut message);
            let begun = endpoint.respond_observing(now, id, message.clone());
            hub.start(now, begun, prepared, message);
        }
    }
}

/// Moves between endpoint and observations: what arrived, and what is to be told.
fn notify(endpoint: &mut Endpoint<UdpPeer>, hub: &mut Hub) {
    for _ in 0..NOTIFICATIONS_PER_TURN {
        while let Some(event) = endpoint.poll_observed() {
            hub.observed(Instant::now(), event);
        }
        let Some((id, message)) = hub.poll_notification(Instant::now()) else {
            return;
        };
        endpoint.notify(Instant::now(), id, message);
    }
}

/// Takes the datagrams that are there, up to a turn's worth. Returns whether there may be more.
fn receive(transport: &mut UdpTransport, endpoint: &mut Endpoint<UdpPeer>) -> io::Result<bool> {
    let now = Instant::now();
    for _ in 0..BATCHES_PER_TURN {
        if !transport.receive(|peer, datagram| endpoint.handle_datagram(now, peer, datagram))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn flush(endpoint: &mut Endpoint<UdpPeer>, transport: &UdpTransport) {
    while let Some(transmit) = endpoint.poll_transmit() {
        // A datagram that the system does not take is lost like one on the way: CoAP repeats what matters.
        if let Err(error) = transport.send(transmit.peer, &transmit.bytes) {
            tracing::debug!("no datagram to {}: {error}", transmit.peer.remote);
        }
    }
}

fn tell(report: &mut EndpointReport, endpoint: &Endpoint<UdpPeer>) {
    let latest = endpoint
        .latest_refusal()
        .map(|(peer, code)| (peer.remote, code));
    match report.poll(Instant::now(), endpoint.counters(), latest) {
        Some(report) if report.bound_hit => tracing::warn!("{}", report.line),
        Some(report) => tracing::info!("{}", report.line),
        None => {}
    }
}

/// Moves the timer only to an earlier time, or once it has passed: most deadlines are met and never waited for.
fn arm(mut timer: Pin<&mut Sleep>, deadlines: [Option<Instant>; 5]) {
    let wanted = deadlines
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| Instant::now() + NEVER);
    if timer.is_elapsed() || wanted < timer.deadline().into_std() {
        timer.as_mut().reset(wanted.into());
    }
}
