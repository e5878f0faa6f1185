//! The loop: datagrams into the endpoint, its requests into exchanges, their answers back, until told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Sleep, sleep_until};

use crate::coap::{self, Endpoint, ExchangeId, Incoming};
use crate::endpoint_report::EndpointReport;
use crate::exchange::{Answer, Follows, Gateway, Progress, Refusal, Request};
use crate::observation::{Hub, ObservationLimits, PollId, Polled};
use crate::transport::{Arrival, UdpPeer, UdpTransport};

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

/// What was waited for.
enum Done {
    /// The answer to a request whose body had this many bytes.
    Answered(ExchangeId, Answer, usize),
    /// What came of asking a homeserver on behalf of observers.
    Polled(PollId, Polled),
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
    let mut serving = Serving {
        endpoint: Endpoint::new(limits.coap, seed),
        hub: Hub::new(limits.observation),
        gateway,
        pending: FuturesUnordered::new(),
        bodies: 0,
        local: transport.local_addr().ok(),
        draining: false,
    };
    let mut timer = Box::pin(sleep_until(tokio::time::Instant::now() + NEVER));
    let mut stop = Box::pin(stop.fuse());
    let mut drained_at = None;
    let mut report = EndpointReport::default();

    loop {
        // Here and not only at the timer: under a flood the socket is always the first to be ready.
        serving.handle_timeout(Instant::now());
        serving.notify();
        let endpoint = &mut serving.endpoint;
        flush(endpoint, &transport);
        tell(&mut report, endpoint);
        if let Some(end) = drained_at
            && (endpoint.in_flight() == 0 || Instant::now() >= end)
        {
            return endpoint.in_flight();
        }
        arm(
            timer.as_mut(),
            [serving.next_timeout(), drained_at, report.next()],
        );
        tokio::select! {
            biased;
            () = stop.as_mut() => {
                tracing::info!("stopping: {} exchanges in flight have {} s to end", serving.endpoint.in_flight(), drain.as_secs());
                serving.draining = true;
                drained_at = Some(Instant::now() + drain);
                serving.hub.finish_all();
            }
            Some(done) = serving.pending.next() => serving.finish(done),
            ready = transport.readable() => {
                match ready.and_then(|()| receive(&mut transport, &mut serving)) {
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

/// What is served, and what is under way.
struct Serving<'a> {
    endpoint: Endpoint<UdpPeer>,
    hub: Hub,
    gateway: &'a Gateway,
    pending: FuturesUnordered<LocalBoxFuture<'a, Done>>,
    /// Bytes of request bodies in flight.
    bodies: usize,
    /// Where the transport listens.
    local: Option<SocketAddr>,
    draining: bool,
}

impl Serving<'_> {
    fn receive(&mut self, now: Instant, peer: UdpPeer, arrival: Arrival, datagram: &[u8]) {
        match arrival {
            Arrival::Unicast => self.endpoint.handle_datagram(now, peer, datagram),
            Arrival::Multicast => self.endpoint.handle_multicast(now, peer, datagram),
        }
        // At once and not after the batch: what needs no homeserver is then never in flight beside the rest of the batch,
        // and so never above a device's bound.
        while let Some(incoming) = self.endpoint.poll_request() {
            self.begin(incoming);
        }
    }

    fn begin(&mut self, incoming: Incoming<UdpPeer>) {
        let id = incoming.id;
        let body = incoming.request.payload.len();
        let request = Request {
            peer: incoming.peer.remote,
            local: self.local.map(|listening| match incoming.peer.local {
                Some(address) => SocketAddr::new(address, listening.port()),
                None => listening,
            }),
            multicast: incoming.multicast,
            observes: incoming.observes,
            message_type: incoming.message_type,
            message: incoming.request,
            wire_bytes: incoming.wire_bytes,
        };
        let refusal = if self.draining {
            Some(Refusal::Draining)
        } else {
            (self.bodies + body > BODIES_IN_FLIGHT).then_some(Refusal::Busy)
        };
        if let Some(refusal) = refusal {
            let response = Gateway::refuse(&request, &refusal);
            self.endpoint.respond(Instant::now(), id, response);
            return;
        }
        let gateway = self.gateway;
        match gateway.begin(request) {
            Progress::Answered(answer) => self.respond(id, answer),
            Progress::Waiting(waiting) => {
                self.bodies += body;
                self.pending.push(Box::pin(async move {
                    Done::Answered(id, gateway.finish(waiting).await, body)
                }));
            }
        }
    }

    fn finish(&mut self, done: Done) {
        match done {
            Done::Answered(id, answer, body) => {
                self.bodies -= body;
                self.respond(id, answer);
            }
            Done::Polled(id, polled) => self.hub.polled(Instant::now(), id, polled),
        }
    }

    /// Answers a request, and does what follows.
    fn respond(&mut self, id: ExchangeId, answer: Answer) {
        let now = Instant::now();
        let mut message = answer.message;
        match answer.follows {
            None => self.endpoint.respond(now, id, message),
            Some(Follows::LoggedOut(account)) => {
                self.endpoint.respond(now, id, message);
                self.hub.logged_out(&account);
            }
            // It would end with the gateway, and nobody would tell the device.
            Some(Follows::Observation(_)) if self.draining => {
                self.endpoint.respond(now, id, message);
            }
            Some(Follows::Observation(registration)) => {
                let prepared = self.hub.prepare(self.gateway, now, *registration);
                let Some(prepared) = prepared else {
                    return self.endpoint.respond(now, id, message);
                };
                self.hub.keep_fresh(&mut message);
                let begun = self.endpoint.respond_observing(now, id, message.clone());
                self.hub.start(now, begun, prepared, message);
            }
        }
    }

    /// Moves between endpoint and observations: what arrived, and what is to be told.
    fn notify(&mut self) {
        for _ in 0..NOTIFICATIONS_PER_TURN {
            while let Some(event) = self.endpoint.poll_observed() {
                self.hub.observed(Instant::now(), event);
            }
            let Some((id, message)) = self.hub.poll_notification(Instant::now()) else {
                return;
            };
            self.endpoint.notify(Instant::now(), id, message);
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.endpoint.next_timeout()) {
            self.endpoint.handle_timeout(now);
        }
        if is_due(self.hub.next_timeout()) {
            self.hub.handle_timeout(now);
            let gateway = self.gateway;
            while let Some(call) = self.hub.poll_call(gateway, now) {
                self.pending.push(Box::pin(async {
                    let (id, polled) = call.make(&gateway.upstreams).await;
                    Done::Polled(id, polled)
                }));
            }
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        let notifications = self.hub.has_ready().then(Instant::now);
        let times = [
            self.endpoint.next_timeout(),
            self.hub.next_timeout(),
            notifications,
        ];
        times.into_iter().flatten().min()
    }
}

/// Takes the datagrams that are there, up to a turn's worth. Returns whether there may be more.
fn receive(transport: &mut UdpTransport, serving: &mut Serving<'_>) -> io::Result<bool> {
    let now = Instant::now();
    for _ in 0..BATCHES_PER_TURN {
        if !transport.receive(|peer, arrival, datagram| {
            serving.receive(now, peer, arrival, datagram);
        })? {
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
fn arm(mut timer: Pin<&mut Sleep>, deadlines: [Option<Instant>; 3]) {
    let wanted = deadlines
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| Instant::now() + NEVER);
    if timer.is_elapsed() || wanted < timer.deadline().into_std() {
        timer.as_mut().reset(wanted.into());
    }
}
