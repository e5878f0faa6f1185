//! Tests of the parser, the front, and the server.

mod attacks;
mod authority;
mod bounds;
mod certificate;
mod certified;
mod client;
mod flood;
mod front;
mod mangled;
mod psk;
mod restart;
mod world;
