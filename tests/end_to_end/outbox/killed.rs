//! A gateway that is killed at any time, under devices, with a real homeserver that comes and goes.

use std::time::Duration;

use comatrix_tests::kills::{Plan, run};

/// `cargo run -p comatrix-tests --bin kills` makes as many kills as one likes.
const SHORT: Plan = Plan {
    kills: 20,
    time: Duration::from_secs(50),
    seed: 7,
};

#[test]
fn each_accepted_message_is_in_its_room_once_and_in_order_whenever_the_gateway_is_killed() {
    let report = run(&SHORT);
    let problems = report.problems();
    assert!(problems.is_empty(), "{problems:#?}\n{}", report.table());
    assert!(report.repeated > 20, "{}", report.table());
}
