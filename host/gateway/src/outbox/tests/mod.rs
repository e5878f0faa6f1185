//! Tests of the outbox as a whole.

mod simulation;

pub(super) use simulation::Network;
