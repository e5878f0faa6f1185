//! The server: what its caller calls and polls. `handshaking` and `established` handle datagrams.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use coap::{PeerId, Transmit};
use dimpl::{Config, DtlsCertificate};
use share::{Owner, Shares};

use super::cookie::Cookies;
use super::counters::Counters;
use super::event::{Event, Message};
use super::front::Offered;
use super::limits::Limits;
use super::method::Method;
use super::pending::Pending;
use super::recorder::Recorder;
use super::refusal::Refusal;
use super::slot::Slot;

/// Refusals that wait for the caller. It polls after each datagram, so more than a few mean that it does not.
const MOST_REFUSALS: usize = 64;

/// A DTLS 1.2 server without socket and clock. `P` identifies where a peer is: its address, and what else the caller
/// needs to reach it.
///
/// After each call that takes `now`, poll [`poll_message`](Self::poll_message), [`poll_transmit`](Self::poll_transmit)
/// and [`poll_event`](Self::poll_event) until they return `None`, and call [`handle_timeout`](Self::handle_timeout) at
/// [`next_timeout`](Self::next_timeout). `now` must not go back. Events come in the order in which they happened.
pub struct Server<P> {
    pub(super) limits: Limits,
    pub(super) cookies: Cookies,
    pub(super) offered: Offered,
    pub(super) psk: Arc<Config>,
    pub(super) certificates: Option<(Arc<Config>, DtlsCertificate)>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) credentials: Arc<dyn super::credentials::Credentials>,
    pub(super) slots: HashMap<P, Slot>,
    /// Where the sessions of each principal are.
    pub(super) principals: HashMap<Arc<str>, Vec<P>>,
    /// What is due when: the number of a handshake or session, and where it is.
    pub(super) timers: BTreeMap<(Instant, u64), P>,
    pub(super) sessions: Shares,
    pub(super) handshakes: Pending<P>,
    pub(super) numbers: u64,
    /// Has absorbed the seed: hosts cannot choose names that collide.
    pub(super) hosts: DefaultHasher,
    pub(super) transmits: VecDeque<Transmit<P>>,
    pub(super) messages: VecDeque<Message<P>>,
    pub(super) events: VecDeque<Event<P>>,
    pub(super) refusals: usize,
    pub(super) counters: Counters,
    /// For the output of the library: 2,048 bytes, taken while it is in use.
    pub(super) buffer: Vec<u8>,
}

impl<P: PeerId> Server<P> {
    /// The next decrypted message.
    pub fn poll_message(&mut self) -> Option<Message<P>> {
        self.messages.pop_front()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<P>> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event<P>> {
        let event = self.events.pop_front()?;
        if matches!(event, Event::Refused { .. }) {
            self.refusals -= 1;
        }
        Some(event)
    }

    /// When [`handle_timeout`](Self::handle_timeout) has work; none if nothing is pending.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Repeats flights that are due, and ends handshakes and sessions that are overdue. An early call does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(entry) = self.timers.first_entry() {
            let (at, number) = *entry.key();
            if at > now {
                break;
            }
            let peer = entry.remove();
            self.handshake_due(now, &peer, number);
            self.session_due(now, &peer, number);
        }
    }

    /// Counts of events.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sessions that are open.
    pub fn session_count(&self) -> usize {
        self.sessions.in_all().pieces
    }

    /// Handshakes that are not complete.
    pub fn handshake_count(&self) -> usize {
        self.handshakes.len()
    }

    pub(super) fn refuse(&mut self, peer: &P, refusal: Refusal) {
        self.counters.refused += 1;
        match refusal {
            Refusal::WrongKey(_) | Refusal::UnknownIdentity(_) => self.counters.wrong_keys += 1,
            Refusal::Certificate(_) => self.counters.certificates_refused += 1,
            Refusal::PendingHandshakes(_) | Refusal::Sessions(_) => self.counters.no_room += 1,
            Refusal::TimedOut { .. } => self.counters.timed_out += 1,
            _ => {}
        }
        if self.refusals >= MOST_REFUSALS {
            self.counters.refusals_not_passed_on += 1;
            return;
        }
        self.refusals += 1;
        self.events.push_back(Event::Refused {
            peer: peer.clone(),
            refusal,
        });
    }

    pub(super) fn transmit(&mut self, peer: &P, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit {
            peer: peer.clone(),
            bytes,
        });
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Who holds what a peer takes: its host and, while it is not authenticated, its network.
    pub(super) fn owner(&self, peer: &P, is_authenticated: bool) -> Owner {
        let name = |value: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = self.hosts.clone();
            value(&mut hasher);
            hasher.finish()
        };
        let Some(host) = peer.host() else {
            return Owner::new(name(&|hasher| peer.hash(hasher)), None);
        };
        let network = match host.address() {
            // Devices of one site share a network, and authenticated ones have a bound of their own.
            _ if is_authenticated => None,
            IpAddr::V6(address) => Some((address.to_bits() >> 64) as u64),
            // The least that the internet routes. An IPv6 address of 64 bits never has this name.
            IpAddr::V4(address) => Some(u64::from(address.to_bits() >> 8)),
        };
        Owner::new(
            name(&|hasher| host.hash(hasher)),
            network.map(|network| name(&|hasher| network.hash(hasher))),
        )
    }

    /// The configuration of the library for a method.
    pub(super) fn fresh(&self, now: Instant, method: Method) -> Option<dimpl::Dtls> {
        match (method, &self.certificates) {
            (Method::Psk, _) => Some(dimpl::Dtls::new_12_psk(self.psk.clone(), now)),
            (Method::Certificate, Some((config, certificate))) => Some(dimpl::Dtls::new_12(
                config.clone(),
                certificate.clone(),
                now,
            )),
            (Method::Certificate, None) => None,
        }
    }

    /// Forgets an address of which nothing is left.
    pub(super) fn tidy(&mut self, peer: &P) {
        if self.slots.get(peer).is_some_and(Slot::is_empty) {
            self.slots.remove(peer);
        }
    }
}
