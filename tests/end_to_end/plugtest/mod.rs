//! The CoAP plugtest list (ETSI, prefix `TD_COAP_`): one test per row, named after it, against the real gateway over
//! real sockets, by aiocoap and libcoap where they can do it. The subject of a row is looked for on the wire.
//!
//! A row that has no meaning for this gateway stands in `not_applicable.txt` with its reason; `list` holds the rows
//! against the tests.

mod block;
mod core;
mod core_options;
mod dtls;
mod link;
mod list;
mod obs;
mod obs_ends;
mod stage;
mod watched;
