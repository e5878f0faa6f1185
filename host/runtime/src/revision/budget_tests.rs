use std::sync::Arc;
use std::time::{Duration, Instant};

use super::budget::{Budget, Permit};
use crate::limits::{Limit, RuleLimits};
use share::Owner;

fn host(number: u64) -> Owner {
    Owner::new(number, None)
}

fn budget(limits: RuleLimits) -> (Arc<Budget>, Instant) {
    (Arc::new(Budget::new(limits)), Instant::now())
}

#[test]
fn exchanges_in_flight_are_bounded_and_their_places_come_back() {
    let (budget, now) = budget(RuleLimits {
        in_flight: 2,
        ..RuleLimits::default()
    });
    let first = budget.admit(now, host(1)).unwrap();
    let _second = budget.admit(now, host(2)).unwrap();
    assert_eq!(budget.admit(now, host(3)).unwrap_err(), Limit::InFlight);
    drop(first);
    assert!(budget.admit(now, host(1)).is_ok());
    assert_eq!(budget.hits(), [(Limit::InFlight, 1)]);
}

#[test]
fn bytes_of_exchanges_in_flight_are_bounded_and_come_back() {
    let (budget, now) = budget(RuleLimits {
        in_flight_bytes: 100,
        ..RuleLimits::default()
    });
    let mut first = budget.admit(now, host(1)).unwrap();
    let mut second = budget.admit(now, host(2)).unwrap();
    assert_eq!(first.hold(60), Ok(()));
    assert_eq!(second.hold(41), Err(Limit::InFlightBytes));
    assert_eq!(second.hold(40), Ok(()));
    assert_eq!(first.hold(61), Err(Limit::InFlightBytes));
    assert_eq!(first.hold(10), Ok(()));
    assert_eq!(second.hold(90), Ok(()));
    drop(second);
    assert_eq!(first.hold(100), Ok(()));
    drop(first);
    assert_eq!(budget.waiting().in_all(), share::Amount::default());
    assert_eq!(budget.hits(), [(Limit::InFlightBytes, 2)]);
}

#[test]
fn a_second_has_its_exchanges_and_no_more() {
    let (budget, start) = budget(RuleLimits {
        per_second: 10,
        ..RuleLimits::default()
    });
    let admitted = |now| {
        (0..100)
            .filter(|n| budget.admit(now, host(*n)).is_ok())
            .count()
    };
    assert_eq!(admitted(start), 10);
    assert_eq!(admitted(start + Duration::from_millis(500)), 5);
    assert_eq!(admitted(start + Duration::from_secs(60)), 10);
}

#[test]
fn computing_is_a_share_of_time_and_waits_when_it_is_overdrawn() {
    let (budget, start) = budget(RuleLimits {
        cpu_percent: 10,
        per_second: 1000,
        ..RuleLimits::default()
    });
    budget.spent(start, Duration::from_millis(120));
    assert_eq!(budget.admit(start, host(1)).unwrap_err(), Limit::CpuShare);
    // 20 ms are owed; at a tenth of a core that takes 200 ms.
    let soon = start + Duration::from_millis(190);
    assert_eq!(budget.admit(soon, host(1)).unwrap_err(), Limit::CpuShare);
    assert!(
        budget
            .admit(start + Duration::from_millis(210), host(1))
            .is_ok()
    );
}

/// As many exchanges of one host as it can begin and let wait, of this many bytes each.
fn waiting(budget: &Arc<Budget>, owner: Owner, bytes: usize, now: Instant) -> Vec<Permit> {
    let begin = |_| {
        let mut permit = budget.admit(now, owner).ok()?;
        permit.hold(bytes).ok().map(|()| permit)
    };
    (0..1000).map_while(begin).collect()
}

#[test]
fn a_host_whose_exchanges_wait_leaves_places_to_others() {
    let (budget, now) = budget(RuleLimits {
        in_flight: 64,
        per_second: 100_000,
        ..RuleLimits::default()
    });
    let flood = waiting(&budget, host(1), 0, now);
    assert_eq!(flood.len(), 32, "half of them");
    let others: Vec<_> = (2..=5)
        .map(|number| {
            let permits = waiting(&budget, host(number), 0, now);
            assert_eq!(permits.len(), 8, "an eighth");
            permits
        })
        .collect();
    assert_eq!(budget.admit(now, host(6)).unwrap_err(), Limit::InFlight);
    drop(flood);
    assert_eq!(waiting(&budget, host(6), 0, now).len(), 8);
    drop(others);
    assert_eq!(waiting(&budget, host(6), 0, now).len(), 32);
}

#[test]
fn the_addresses_of_one_network_are_one_host() {
    let (budget, now) = budget(RuleLimits {
        in_flight: 64,
        ..RuleLimits::default()
    });
    let hopping = (0..64).filter_map(|address| {
        let mut permit = budget.admit(now, Owner::new(address, Some(7))).ok()?;
        permit.hold(0).ok().map(|()| permit)
    });
    let flood: Vec<_> = hopping.collect();
    assert_eq!(flood.len(), 32);
    assert!(budget.admit(now, Owner::new(100, Some(8))).is_ok());
}

#[test]
fn a_host_with_large_exchanges_leaves_bytes_to_others() {
    let (budget, now) = budget(RuleLimits {
        in_flight_bytes: 64_000,
        ..RuleLimits::default()
    });
    let flood = waiting(&budget, host(1), 1000, now);
    assert_eq!(flood.len(), 32, "half of them");
    assert_eq!(waiting(&budget, host(2), 1000, now).len(), 8, "an eighth");
    let one = waiting(&budget, host(3), 20_000, now);
    assert_eq!(one.len(), 1, "one that is larger than an eighth");
    assert!(budget.hits().contains(&(Limit::InFlightBytes, 3)));
}

#[test]
fn a_host_that_sends_without_end_leaves_the_rate_of_others() {
    let (budget, start) = budget(RuleLimits {
        per_second: 160,
        ..RuleLimits::default()
    });
    let admitted = |number: u64, now| {
        let admitted = (0..1000).filter(|_| budget.admit(now, host(number)).is_ok());
        admitted.count()
    };
    for second in 0..5 {
        let now = start + Duration::from_secs(second);
        assert_eq!(admitted(1, now), 80 + 10);
        assert_eq!(admitted(2, now), 10);
        assert_eq!(admitted(3, now + Duration::from_millis(900)), 10);
    }
}

#[test]
fn a_host_with_expensive_requests_leaves_computing_time_to_others() {
    let (budget, start) = budget(RuleLimits {
        cpu_percent: 10,
        per_second: 100_000,
        ..RuleLimits::default()
    });
    let served = |number: u64, now| {
        let calls = (0..1000).take_while(|_| {
            let admitted = budget.admit(now, host(number)).is_ok();
            if admitted {
                budget.spent(now, Duration::from_millis(5));
                budget.charge(now, host(number));
            }
            admitted
        });
        calls.count()
    };
    for second in 0..5 {
        let now = start + Duration::from_secs(second);
        assert_eq!(
            served(1, now),
            12,
            "half, and more than an eighth of the other"
        );
        assert!(!budget.may_compute(now, host(1)));
        assert_eq!(served(2, now), 2);
        assert_eq!(served(3, now), 2);
    }
}
