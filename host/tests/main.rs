//! The gateway's parts together, without a real homeserver: rules as components, exchanges, egress, configuration.

mod activation;
mod any_homeserver;
mod any_input;
mod cache;
mod component;
mod configuration;
mod configuration_faults;
mod default_rule;
mod device_request;
mod egress;
mod egress_request;
mod exchange;
mod http_call;
mod largest_input;
mod misbehaving;
mod over_udp;
mod refusals;
mod resources;
mod rule_text;
mod scratch;
mod stub;
mod tokens;
