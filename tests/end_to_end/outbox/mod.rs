//! Messages that wait for their homeserver, kept by a real gateway that is stopped, killed and misconfigured meanwhile.

mod ages;
mod away;
mod forgetful;
mod full;
mod killed;
mod logins;
mod refusals;
mod repetitions;
mod rules;
mod shown;
mod silent;
mod stage;
mod state_folder;
