//! Datagrams through sessions, and what operators change about them.

use std::time::Instant;

use coap::{HashedPeer, Transmit};
use contract::Peer;
use secure::oscore::{Identifier, Refusal, Verified};
use share::Owner;
use transport::UdpPeer;

use super::coaps::{Arrived, Coaps};
use super::lines;
use crate::coaps_certificates::CoapsCertificates;
use crate::devices::{Change, Devices};
use crate::dispatcher::Dispatcher;
use crate::listeners::Listeners;
use crate::sources::dtls_session;
use crate::telemetry::operator;
use crate::telemetry::recorder::SecurityState;

impl Dispatcher<'_> {
    /// Passes a datagram to the endpoint, through its session if its socket is that of `coaps`.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        owner: Owner,
        peer: HashedPeer<UdpPeer>,
        datagram: &[u8],
    ) {
        match &mut self.coaps {
            Some(coaps) if coaps.listens_at(peer.id().listener) => {
                let arrived = coaps.receive(now, peer.into_id(), datagram);
                self.take_arrived(now, Some(owner), arrived);
            }
            _ => {
                let from = *peer.id();
                self.endpoint.handle_datagram_of(now, peer, datagram);
                self.log_refusal(now, owner, &from);
                self.dispatch_requests(now, owner);
            }
        }
    }

    /// A protected request that was refused. That a device needs a new Echo value after a restart is no fault.
    fn log_refusal(&mut self, now: Instant, owner: Owner, peer: &UdpPeer) {
        let protection = self.endpoint.protection_mut();
        if let Some(refusal) = protection.take_refusal() {
            lines::log_edhoc(&self.gateway.address_lines, now, owner, peer, refusal);
        }
        match protection.contexts.take_refusal() {
            None | Some((_, Refusal::NotFresh | Refusal::NotStored)) => {}
            Some((device, refusal)) => {
                self.refused_messages += 1;
                let lines = &self.gateway.address_lines;
                lines::log_protected(lines, now, owner, peer, device.as_deref(), refusal);
            }
        }
    }

    fn take_arrived(&mut self, now: Instant, owner: Option<Owner>, arrived: Arrived) {
        for (peer, refusal) in &arrived.refused {
            let owner = owner.unwrap_or_else(|| self.endpoint.hashed(*peer).owner());
            lines::log(&self.gateway.address_lines, now, owner, peer, refusal);
        }
        for (peer, message) in arrived.messages {
            let peer = self.endpoint.hashed(peer);
            let owner = peer.owner();
            self.endpoint.handle_datagram_of(now, peer, &message);
            // Before the session is forgotten, and with it whose it is.
            self.dispatch_requests(now, owner);
        }
        for peer in arrived.ended {
            self.endpoint.forget(now, &peer);
            if let Some(coaps) = &mut self.coaps {
                if let Some((device, session)) = peer
                    .session
                    .and_then(|session| coaps.device(session))
                    .zip(dtls_session(&peer))
                {
                    self.gateway.remembered.forget_session(device, session);
                }
                coaps.forget(&peer);
            }
        }
    }

    /// A peer as rules and logs see it. That of a session or of a protected request is authenticated.
    pub(crate) fn device(&self, peer: UdpPeer, verified: Option<&Verified>) -> Peer {
        let mut device = Peer::unauthenticated(peer.remote);
        let principal = peer
            .session
            .and_then(|session| self.coaps.as_ref()?.device(session));
        let principal = verified.map(|verified| &verified.principal).or(principal);
        device.authenticated = principal.is_some();
        device.principal = principal.cloned();
        device
    }

    /// The next datagram to send: a message of a session protected.
    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit<UdpPeer>> {
        loop {
            if let Some(protected) = self.coaps.as_mut().and_then(Coaps::poll_transmit) {
                return Some(protected);
            }
            let message = self.endpoint.poll_transmit()?;
            if message.peer.session.is_none() {
                return Some(message);
            }
            if let Some(coaps) = &mut self.coaps
                && let Err(error) = coaps.send(Instant::now(), &message)
            {
                tracing::debug!("a message to {} is lost: {error}", message.peer.remote);
            }
        }
    }

    /// Retransmissions of handshakes, and the end of sessions that are overdue.
    pub(crate) fn handle_session_timeout(&mut self, now: Instant) {
        if let Some(coaps) = &mut self.coaps
            && coaps.next_timeout().is_some_and(|due| due <= now)
        {
            coaps.handle_timeout(now);
            let arrived = coaps.arrived();
            self.take_arrived(now, None, arrived);
        }
    }

    /// Applies what operators have changed, and opens the socket of `coaps` once it is bound.
    pub(crate) fn apply_devices(&mut self, now: Instant, listeners: &mut Listeners) {
        let Some(devices) = self.gateway.devices() else {
            return;
        };
        for change in devices.take_changes() {
            match change {
                Change::Enrolled => {}
                Change::Context {
                    name,
                    parameters,
                    numbers,
                } => {
                    let contexts = &mut self.endpoint.protection_mut().contexts;
                    match contexts.add(name.clone(), &parameters, numbers.end, None) {
                        Ok(_) => contexts.resume_use(parameters.recipient_id, numbers.used),
                        Err(error) => {
                            tracing::error!(target: operator::TARGET, "device {name}: {error}");
                        }
                    }
                }
                Change::Identity(identity) => {
                    self.endpoint.protection_mut().set_identity(identity);
                }
                Change::Revoked { name, kid } => self.revoke(now, &name, kid),
            }
        }
        if let Some(transport) = devices.socket().take() {
            let address = transport.local_addr();
            let listener = listeners.add(transport);
            self.local_addresses = listeners.local_addresses();
            let certificates = self.snapshot.certificates.as_deref();
            trust(devices, certificates);
            match Coaps::new(listener, devices.keys(), certificates, now) {
                Ok(coaps) => self.coaps = Some(coaps),
                Err(error) => tracing::error!(target: operator::TARGET, "no coaps: {error}"),
            }
            if let Ok(address) = address {
                tracing::info!(target: operator::TARGET, "listening on coaps://{address}");
            }
        }
    }

    /// Applies the certificates of the current snapshot, and opens the socket of `coaps` for them.
    pub(crate) fn apply_certificates(&mut self, now: Instant) {
        let certificates = self.snapshot.certificates.as_deref();
        if let Some(devices) = self.gateway.devices() {
            trust(devices, certificates);
        }
        if let Some(coaps) = &mut self.coaps {
            if let Err(error) = coaps.set_certificates(certificates) {
                tracing::error!(target: operator::TARGET, "no coaps with certificates: {error}");
            }
            let arrived = coaps.arrived();
            self.take_arrived(now, None, arrived);
        } else if let (Some(devices), Some(_)) = (self.gateway.devices(), certificates)
            && let Err(error) = devices.socket().open()
        {
            tracing::error!(target: operator::TARGET, "devices with certificates are out of service: {error}");
        }
    }

    fn revoke(&mut self, now: Instant, name: &str, kid: Option<Identifier>) {
        self.gateway.remembered.forget_device(name);
        if let Some(kid) = kid {
            self.endpoint.protection_mut().contexts.remove(kid);
        }
        if let Some(coaps) = &mut self.coaps {
            coaps.close_device(name);
            let arrived = coaps.arrived();
            self.take_arrived(now, None, arrived);
        }
    }

    /// For the status page and the metrics.
    pub(crate) fn security_state(&self) -> SecurityState {
        let (sessions, counters) = match &self.coaps {
            Some(coaps) => coaps.state(),
            None => Default::default(),
        };
        SecurityState {
            sessions,
            contexts: self.endpoint.protection().contexts.len(),
            counters,
            refused_messages: self.refused_messages,
        }
    }

    /// Closes all sessions, before the gateway ends: devices shake hands with the next one at once.
    pub(crate) fn close_sessions(&mut self) {
        if let Some(coaps) = &mut self.coaps {
            coaps.close_all();
        }
    }
}

/// The authorities of these certificates vouch for devices from now on, and no others.
fn trust(devices: &Devices, certificates: Option<&CoapsCertificates>) {
    let authorities = certificates.map(|certificates| certificates.authorities.clone());
    devices.trust(&authorities.unwrap_or_default());
}
