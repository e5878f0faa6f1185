//! New limits for a running endpoint.

use crate::endpoint::Endpoint;
use crate::limits::Limits;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Applies new limits to new requests: those of bodies, blocks, rates, exchanges and observations,
    /// [`Limits::unproven_bytes`], [`Limits::echo`], [`Limits::held_bytes`], [`Limits::networks`],
    /// [`Limits::first_block_exponent`], [`Limits::ack_delay`], [`Limits::ack_delay_max`] and [`Limits::leisure`]. The
    /// others keep the values of [`new`](Endpoint::new). Exchanges and observations above a lower limit continue.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.limits = Limits {
            request_body: limits.request_body,
            block_size_exponent: limits.block_size_exponent,
            datagrams_per_second_per_peer: limits.datagrams_per_second_per_peer,
            unproven_bytes: limits.unproven_bytes,
            echo: limits.echo,
            exchanges_per_peer: limits.exchanges_per_peer,
            exchanges: limits.exchanges,
            observations: limits.observations,
            observations_per_peer: limits.observations_per_peer,
            non_confirmable_notifications: limits.non_confirmable_notifications,
            held_bytes: limits.held_bytes,
            networks: limits.networks.clone(),
            first_block_exponent: limits.first_block_exponent,
            ack_delay: limits.ack_delay,
            ack_delay_max: limits.ack_delay_max,
            leisure: limits.leisure,
            ..self.limits.clone()
        };
        self.block1.set_limits(&self.limits);
        self.block2.set_limits(&self.limits);
        self.reliability.set_limits(&self.limits);
        self.observations.set_limits(&self.limits);
        self.peers.set_limits(&self.limits);
    }
}
