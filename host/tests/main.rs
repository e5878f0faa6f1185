//! The gateway's parts together, without a real homeserver: rules as components, exchanges, egress, configuration.

mod any_input;
mod component;
mod conversion;
mod device_request;
mod largest_input;
mod scratch;
