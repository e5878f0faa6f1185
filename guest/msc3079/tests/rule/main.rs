//! The rule's cases and properties, one program for all of them.

mod bodies;
mod cases;
mod documents;
mod feeds;
mod native;
mod proposal;
