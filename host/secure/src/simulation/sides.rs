//! What the world asks of a way to secure messages: one side is the gateway's, the other one a device's.

use std::time::Instant;

use super::application::Application;
use super::seeds::Tally;
use crate::oscore::tests::simulation::random::Random;

/// Devices in a world.
pub(super) const DEVICES: usize = 3;

/// The device's side.
pub(super) trait Link {
    /// Whether a request may be sent.
    fn is_ready(&self) -> bool;
    /// Another one than before if the session is another one.
    fn session(&self) -> u64;
    /// Another request begins.
    fn begin(&mut self);
    fn send(&mut self, now: Instant, plain: Vec<u8>);
    /// The messages in a datagram.
    fn receive(&mut self, now: Instant, datagram: &[u8]) -> Vec<Vec<u8>>;
    fn next_timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
    fn poll_transmit(&mut self) -> Option<Vec<u8>>;
    /// A request got no response.
    fn fail(&mut self, now: Instant);
    /// The power fails and comes back.
    fn reboot(&mut self, now: Instant);
}

/// The gateway's side.
pub(super) trait Gateway: Sized {
    type Link: Link;

    fn new(now: Instant, random: Random) -> Self;
    fn link(&self, now: Instant, device: usize) -> Self::Link;
    /// The power fails and comes back.
    fn restart(&mut self, now: Instant);
    fn handle_datagram(&mut self, now: Instant, from: u16, datagram: &[u8]);
    fn handle_timeout(&mut self, now: Instant);
    fn next_timeout(&self) -> Option<Instant>;
    /// Passes requests on, and their responses back.
    fn turn(&mut self, now: Instant, application: &mut Application);
    fn poll_transmit(&mut self) -> Option<(u16, Vec<u8>)>;
    /// No more is held than the limits allow.
    fn check_bounds(&self);
    /// Long after the last request nothing is held but sessions and contexts.
    fn check_rest(&self);
    fn count(&self, tally: &mut Tally);
}
