//! Tests of a revision's health, on a clock of their own.

use super::*;
use crate::call::Trap;

/// A revision's health, its clock, and calls for devices.
struct Calls {
    health: Health,
    now: Instant,
}

impl Calls {
    fn new() -> Self {
        Self {
            health: Health::default(),
            now: Instant::now(),
        }
    }

    /// A call with an input of this size.
    fn sized(&mut self, address: &str, bytes: usize, trap: Option<Trap>) -> Option<Failing> {
        let peer = Peer::unauthenticated(address.parse().unwrap());
        let input = CallInput::Polled(bytes);
        let end = CallEnd::of_trap(trap.as_ref());
        self.health.record(self.now, &peer, &input, end)
    }

    /// A call that fails or not for the device with this address in this network; true if the revision fails.
    fn fails(&mut self, network: u32, address: u32, failed: bool) -> bool {
        let address = format!("[2001:db8:0:{network:x}::{address:x}]:5683");
        self.sized(&address, 60, failed.then(trapped)).is_some()
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn trapped() -> Trap {
    Trap::Trapped {
        rule: "a".into(),
        cause: "unreachable".into(),
    }
}

fn out_of_memory() -> Trap {
    Trap::OutOfMemory {
        rule: "a".into(),
        limit: 2 << 20,
    }
}

fn timed_out() -> Trap {
    Trap::TimedOut {
        rule: "a".into(),
        limit_ms: 20,
    }
}

/// Whether a revision is failing after this many calls, those of which fail that `fails` selects.
fn failing(count: u32, networks: u32, fails: impl Fn(u32) -> bool) -> bool {
    let mut calls = Calls::new();
    (0..count).any(|call| calls.fails(call % networks, 1, fails(call)))
}

#[test]
fn half_of_a_hundred_calls_of_eight_networks_is_failing() {
    assert!(failing(100, 9, |call| call % 2 == 0));
    assert!(!failing(99, 9, |_| true));
    assert!(!failing(10_000, 9, |call| call % 10 == 0));
}

#[test]
fn one_device_cannot_make_a_revision_fail() {
    let mut calls = Calls::new();
    for call in 0..10_000_u32 {
        let poisoned = call % 10 != 0;
        let network = if poisoned { 1 } else { 2 + call % 20 };
        assert!(!calls.fails(network, 1, poisoned), "{call}");
    }
}

#[test]
fn a_thousand_addresses_of_one_network_cannot_make_a_revision_fail() {
    let mut calls = Calls::new();
    for call in 0..100_000_u32 {
        let poisoned = call % 100 != 0;
        let network = if poisoned { 1 } else { 2 + call % 3 };
        assert!(!calls.fails(network, call % 1000, poisoned), "{call}");
        if call % 1000 == 0 {
            calls.wait(10);
        }
    }
}

#[test]
fn a_device_that_fails_day_after_day_beside_others_that_seldom_do_is_one_device() {
    let mut calls = Calls::new();
    for call in 0..100_000_u32 {
        let seldom = call % 97 == 0;
        let network = if seldom { 2 + call % 50 } else { 1 };
        assert!(
            !calls.fails(network, 1, !seldom || call % 970 == 0),
            "{call}"
        );
        calls.wait(1);
    }
}

#[test]
fn a_revision_that_worked_for_long_is_soon_found_to_fail() {
    assert!(failing(100_300, 9, |call| call > 100_000));
}

#[test]
fn a_revision_without_any_result_for_ten_minutes_fails_also_in_one_network() {
    let mut calls = Calls::new();
    let mut minute = |works: bool| {
        calls.wait(60);
        let any = (0..20).any(|device| calls.fails(1, device, true));
        any || calls.fails(1, 21, !works)
    };
    // One device with a result in nine minutes shows that it works.
    assert!(!(0..100).any(|number| minute(number % 9 == 0)));
    assert!(!minute(true));
    assert!(!(0..10).any(|_| minute(false)));
    assert!(minute(false));
}

#[test]
fn time_and_memory_of_inputs_above_the_median_are_not_the_revisions_fault() {
    for trap in [timed_out, out_of_memory] {
        let mut calls = Calls::new();
        for call in 0..10_000_u32 {
            let address = format!("192.0.{}.1:5683", call % 50);
            // Nine of ten calls are the attackers'.
            let failing = match call % 10 {
                0 => calls.sized(&address, 60, None),
                _ => calls.sized(&address, 600, Some(trap())),
            };
            assert!(failing.is_none(), "{call}");
        }
    }
}

#[test]
fn time_and_memory_of_ordinary_inputs_count_and_so_does_a_trap_of_a_large_one() {
    let fails = |bytes: usize, trap: fn() -> Trap| {
        let mut calls = Calls::new();
        (0..300_u32).any(|call| {
            let address = format!("192.0.{}.1:5683", call % 50);
            let failed = call > 100;
            let bytes = if failed { bytes } else { 60 };
            calls.sized(&address, bytes, failed.then(trap)).is_some()
        })
    };
    assert!(fails(60, timed_out) && fails(60, out_of_memory));
    assert!(fails(600, trapped));
    assert!(!fails(600, timed_out));
}

#[test]
fn a_flood_of_one_network_does_not_move_the_median() {
    let mut calls = Calls::new();
    for call in 0..100_000_u32 {
        let address = format!("[2001:db8::{:x}]:5683", call % 0xffff);
        assert!(calls.sized(&address, 60_000, None).is_none());
        if call % 1000 == 0 {
            let address = format!("[2001:db8:1::{:x}]:5683", call / 1000);
            assert!(calls.sized(&address, 60, None).is_none());
        }
    }
    let sizes = &calls.health.0.lock().unwrap().sizes[2];
    assert!(sizes.is_above_median(80));
}
