//! Other bounds for an endpoint that is at work: what is under way goes on, and what comes from now on is held to them.

use std::fmt::Debug;
use std::hash::Hash;

use super::endpoint::Endpoint;
use super::limits::Limits;

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// Takes over the bounds that an operator may set: of bodies, blocks, rates, exchanges and observations, and whether
    /// addresses are to be proven. The rest stays what it was made with. What is above a lower bound already is not cut.
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
            ..self.limits.clone()
        };
        self.assemblies.set_limits(&self.limits);
        self.responses.set_limits(&self.limits);
        self.observations.set_limits(&self.limits);
        self.known.set_limits(&self.limits);
    }
}
