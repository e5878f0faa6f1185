//! What one host, and addresses that are not proven, may take.

use std::time::{Duration, Instant};

use super::device::message_1;
use super::*;
use crate::edhoc::sessions::{MOST, MOST_UNPROVEN};

fn unproven(host: u8) -> From {
    From {
        is_proven: false,
        ..from(host)
    }
}

#[test]
fn one_host_takes_a_quarter_and_all_together_sixty_four() {
    let mut gateway = gateway();
    let (_, payload) = message_1(1);
    for _ in 0..16 {
        assert_eq!(handle(&mut gateway, &from(1), &payload).1, None);
    }
    let (response, refusal) = handle(&mut gateway, &from(1), &payload);
    assert_eq!(refusal, Some(Refusal::Busy));
    assert_eq!(response.code, coap::code::SERVICE_UNAVAILABLE);
    assert!(response.uint_option(coap::option::MAX_AGE).is_some());
    for host in 2..5 {
        for _ in 0..16 {
            assert_eq!(handle(&mut gateway, &from(host), &payload).1, None);
        }
    }
    assert_eq!(gateway.responder.pending(), MOST);
    assert_eq!(
        handle(&mut gateway, &from(5), &payload).1,
        Some(Refusal::Busy)
    );
    let later = Instant::now() + Duration::from_secs(61);
    let handled = gateway.handle(later, &from(5), &post(&payload));
    assert!(
        matches!(handled, Some(Handled::Response(_, None))),
        "the others are overdue"
    );
    assert_eq!(gateway.responder.pending(), 1);
}

#[test]
fn addresses_that_are_not_proven_leave_half_of_the_room_to_others() {
    let now = Instant::now();
    let mut gateway = gateway();
    let (_, payload) = message_1(1);
    for host in 0..MOST_UNPROVEN as u8 {
        let handled = gateway.handle(now, &unproven(host), &post(&payload));
        assert!(
            matches!(handled, Some(Handled::Response(_, None))),
            "{host}"
        );
    }
    let handled = gateway.handle(now, &unproven(100), &post(&payload));
    assert!(matches!(handled, Some(Handled::NeedsProof)));
    let handled = gateway.handle(now, &from(100), &post(&payload));
    assert!(matches!(handled, Some(Handled::Response(_, None))));
}

#[test]
fn a_flood_of_keys_off_the_curve_is_computed_within_the_budget() {
    let now = Instant::now();
    let mut gateway = gateway();
    let off_curve = hex(&format!("f503025820{}01", "ff".repeat(32)));
    let computed = (0..255u8).filter(|host| {
        let handled = gateway.handle(now, &unproven(*host), &post(&off_curve));
        matches!(
            handled,
            Some(Handled::Response(_, Some(Refusal::NotOnCurve)))
        )
    });
    assert_eq!(computed.count(), 32);
    // What costs nothing is answered on.
    let other_suite = hex("f503005820aa");
    let handled = gateway.handle(now, &unproven(1), &post(&other_suite));
    assert!(matches!(
        handled,
        Some(Handled::Response(_, Some(Refusal::Suite(0))))
    ));
}
