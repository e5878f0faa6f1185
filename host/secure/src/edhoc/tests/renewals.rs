//! How often one device gets a context.

use coap::{code, option};

use super::device::Device;
use super::*;

/// A whole handshake: how it was refused.
fn renew(gateway: &mut Protection) -> (Message, Option<Refusal>) {
    let device = Device::begin(gateway, &from(1), &device_identity());
    let payload = device.with_c_r(&device.verified.message_3);
    handle(gateway, &from(1), &payload)
}

#[test]
fn a_device_that_runs_edhoc_in_a_loop_keeps_its_last_context_and_has_to_wait() {
    let mut gateway = gateway();
    let mut last = None;
    for _ in 0..16 {
        assert_eq!(renew(&mut gateway).1, None);
        let agreed = gateway.poll_agreed().expect("they have agreed");
        // As the gateway does it.
        if let Some(former) = last.replace(agreed.kid()) {
            assert!(gateway.contexts.remove(former));
        }
    }
    let (response, refusal) = renew(&mut gateway);
    assert_eq!(refusal, Some(Refusal::TooOften(300)));
    assert_eq!(response.code, code::TOO_MANY_REQUESTS);
    assert_eq!(response.uint_option(option::MAX_AGE), Some(300));
    assert!(gateway.poll_agreed().is_none());
    let kid = last.expect("it has a context");
    assert_eq!(gateway.contexts.len(), 1);
    assert!(gateway.contexts.principal(kid).is_some());
}
