//! Devices that prove who they are, played by the clients of others: their whole story, also where one datagram in five
//! is lost on the way.

mod aiocoap;
mod libcoap;
mod libcoap_observer;
mod libcoap_oscore;
pub mod stage;
