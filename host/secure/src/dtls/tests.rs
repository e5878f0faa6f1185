//! Tests of the parser, the front, and the server.

mod front;
