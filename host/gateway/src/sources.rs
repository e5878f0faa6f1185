//! Where requests come from.

use std::net::SocketAddr;
use std::time::Instant;

use crate::dispatcher::Dispatcher;
use crate::request::{SecuredSession, Source};
use coap::option::is_critical;
use coap::{KnownOptions, MessageProtection};
use contract::KnownOption;
use secure::oscore::Verified;
use share::Owner;
use transport::UdpPeer;

impl Dispatcher<'_> {
    /// Where a request of this peer comes from.
    pub(crate) fn source(
        &self,
        owner: Owner,
        peer: UdpPeer,
        verified: Option<&Verified>,
    ) -> Source {
        let protection = self.endpoint.protection();
        let association =
            |verified| MessageProtection::<UdpPeer>::association(protection, verified);
        let context = verified.map(|verified| SecuredSession::Context(association(verified)));
        Source {
            device: self.device(peer, verified),
            owner,
            facts: self.endpoint.facts(Instant::now(), &peer),
            session: context.or_else(|| dtls_session(&peer)),
            local: self.local_address(peer),
        }
    }

    /// The gateway's address and port that a peer speaks to.
    pub(crate) fn local_address(&self, peer: UdpPeer) -> Option<SocketAddr> {
        let bound = self
            .local_addresses
            .get(usize::from(peer.listener))
            .copied()
            .flatten()?;
        Some(
            peer.local
                .map_or(bound, |address| SocketAddr::new(address, bound.port())),
        )
    }
}

impl Dispatcher<'_> {
    /// Tells the endpoint which options the rules of the current snapshot understand, and forgets the values of rules
    /// that are gone.
    pub(crate) fn apply_known_options(&mut self) {
        let rules = self.snapshot.rules.rules();
        let known = || {
            let rules = rules.iter();
            rules.flat_map(|rule| rule.revision.known_options().iter())
        };
        let of = |is_one: fn(&&KnownOption) -> bool| {
            let known = known().filter(is_one);
            known.map(|option| option.number).collect()
        };
        self.endpoint.set_known_options(KnownOptions {
            critical: of(|option| is_critical(option.number)),
            sticky: of(|option| option.sticky),
        });
        let is_left = |name: &str| rules.iter().any(|rule| rule.revision.name() == name);
        self.gateway.remembered.retain_rules(is_left);
    }
}

/// The session of DTLS that a peer speaks through.
pub(crate) fn dtls_session(peer: &UdpPeer) -> Option<SecuredSession> {
    let session = peer.session?;
    Some(SecuredSession::Dtls(session.number.get()))
}
