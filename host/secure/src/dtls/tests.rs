//! Tests of the parser, the front, and the server.

mod client;
mod front;
mod psk;
mod world;
