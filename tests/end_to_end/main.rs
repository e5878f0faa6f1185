//! End-to-end tests: devices, the gateway and a homeserver, each the real thing; and a stub homeserver where faults
//! are wanted.
//!
//! Read `story` first: a device's requests from its first start on. `stage` has the parts that tests share.

mod abuse;
mod author_folder;
mod bad_requests;
mod bodies;
mod clock;
mod command_line;
mod configurations;
mod control_socket;
mod datagrams;
mod densest;
mod device_commands;
mod device_guide;
mod device_guide_libcoap;
mod device_probe;
mod discovery;
mod endpoint;
mod example_rules;
mod homeserver_errors;
mod homeserver_faults;
mod libcoap_story;
mod low_bandwidth;
mod malformed;
mod manuals;
mod message_layer;
mod metrics;
mod multicast;
mod native_rules;
mod openwrt;
mod outbox;
mod packaging;
mod peers;
mod plugtest;
mod rate_limits;
mod rooms;
mod secrets;
mod secured;
mod sessions;
mod short_forms;
mod shutdown;
mod slow_homeserver;
mod stage;
mod status_page;
mod status_page_browser;
mod status_page_forms;
mod story;
mod tokens;
