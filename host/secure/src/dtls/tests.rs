//! Tests of the parser, the front, and the server.

mod attacks;
mod bounds;
mod client;
mod flood;
mod front;
mod mangled;
mod psk;
mod restart;
mod world;
