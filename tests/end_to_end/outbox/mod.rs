//! Messages that wait for their homeserver, kept by a real gateway that is stopped, killed and misconfigured meanwhile.

mod away;
mod refusals;
mod shown;
mod silent;
mod stage;
