//! The event loop's part in secured devices: DTLS stands between the socket of `coaps` and the endpoint.
//!
//! [`coaps`] has the sessions, and [`dispatching`] passes datagrams through them. [`handshakes`] is the resource of
//! EDHOC on the plain port.

mod coaps;
mod dispatching;
mod endpoint;
pub(crate) mod handshakes;
mod lines;
mod reserving;

pub(crate) use coaps::Coaps;
pub(crate) use endpoint::{DeviceBlock, DeviceEndpoint, DeviceRequest, protection};
