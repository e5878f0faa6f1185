//! The benchmark behind `cargo xtask bench`: closed-loop CoAP clients against the gateway as it ships, beside
//! baselines measured in the same run.
//!
//! Ratios count. Where a baseline can be run here (a bare UDP echo, direct HTTP, the rule's native
//! code), it takes turns with the gateway, and the median of the pairs' ratios is reported: a machine's drift hits
//! both sides of a pair alike. The Python gateway of 2021 cannot be run here; its figures are constants
//! ([`report::Figures2021`]).
//!
//! Read [`exchange`] and [`load`] first (a client's behaviour), then [`rows`] (the measurements).

pub mod datagram;
pub mod device;
pub mod echo;
pub mod exchange;
pub mod load;
pub mod plan;
pub mod process;
pub mod report;
pub mod rows;
#[allow(dead_code, reason = "the gateway's tests use the rest")]
#[path = "../../../host/tests/rule_text.rs"]
pub mod rule_text;
pub mod soak;
pub mod stub_homeserver;
pub mod variants;
pub mod window;

use std::net::Ipv4Addr;

/// The address of a device: one host each, as in a network, because the gateway gives each host a share.
pub fn device_address(number: usize) -> Ipv4Addr {
    let part = |of: usize| (1 + of % 250) as u8;
    Ipv4Addr::new(127, part(number / 62_500), part(number / 250), part(number))
}

/// Why a row could not be measured: text for the person at the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
