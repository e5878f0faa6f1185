//! Messages that wait for their homeserver, kept by a real gateway that is stopped, killed and misconfigured meanwhile.

mod away;
mod forgetful;
mod refusals;
mod shown;
mod silent;
mod stage;
