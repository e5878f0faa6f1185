//! The event loop's part in secured devices: DTLS stands between the socket of `coaps` and the endpoint.
//!
//! [`coaps`] has the sessions, and [`dispatching`] passes datagrams through them.

mod coaps;
mod dispatching;
mod lines;

pub(crate) use coaps::Coaps;
