//! Devices that prove who they are, played by the clients of others: their whole story, also where one datagram in five
//! is lost on the way.

mod aiocoap;
mod libcoap;
pub mod stage;
