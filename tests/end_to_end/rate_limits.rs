//! A homeserver with its default limits.

use comatrix_tests::aiocoap::Aiocoap;
use comatrix_tests::device::option;
use comatrix_tests::gateway::Gateway;
use comatrix_tests::synapse::{RateLimits, Synapse};

use crate::stage::Room;

#[test]
fn too_many_messages_at_synapses_default_limits_are_refused_with_4_29_and_max_age() {
    let synapse = Synapse::start(RateLimits::SynapseDefault);
    let room = Room::on(&synapse.homeserver());
    let gateway = Gateway::start(&["--homeserver", &synapse.origin]);
    let mut device = Aiocoap::start(gateway.address);
    // A burst of 10 and 0.2 per second are allowed.
    let refused = (0..40)
        .map(|number| device.request(&room.send(&synapse.origin, &format!("txn{number}"), "again")))
        .find(|response| response.code != "2.04")
        .expect("40 messages are too many");
    assert_eq!(
        (refused.code.as_str(), refused.field("errcode").as_str()),
        ("4.29", "M_LIMIT_EXCEEDED")
    );
    let max_age = refused
        .number(option::MAX_AGE)
        .expect("Max-Age says when to try again");
    assert!(
        (1..=10).contains(&max_age),
        "one message is allowed every 5 s, and Max-Age says {max_age}"
    );
}
