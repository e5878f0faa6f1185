//! A device and a gateway on a network that loses and replays, both losing power at any time, with a store that is slow
//! and loses writes. No nonce leaves twice, and no request is accepted twice.

mod device;
mod gateway;
pub(crate) mod nonces;
pub(crate) mod random;
pub(crate) mod store;
mod world;

use world::World;

#[test]
fn no_nonce_leaves_twice_and_no_replay_is_accepted_whenever_the_power_fails() {
    let (mut accepted, mut restarts, mut own_numbers, mut challenges) = (0, 0, 0, 0);
    for seed in 0..1_000 {
        let mut world = World::new(seed, false);
        for _ in 0..80 {
            world.step();
        }
        world.settle();
        accepted += world.accepted();
        restarts += world.restarts();
        own_numbers += world.own_numbers();
        challenges += world.challenges();
    }
    // The seeds reach what they are for.
    assert!(accepted > 5_000, "{accepted} requests were accepted");
    assert!(restarts > 3_000, "the power failed {restarts} times");
    assert!(
        own_numbers > 5_000,
        "{own_numbers} messages of the gateway had a Partial IV"
    );
    assert!(
        challenges > 1_000,
        "{challenges} challenges reached the device"
    );
}

#[test]
fn a_context_that_is_used_while_it_is_stored_uses_no_nonce_twice_whenever_the_power_fails() {
    let (mut accepted, mut lost, mut own_numbers, mut challenges) = (0, 0, 0, 0);
    for seed in 0..500 {
        let mut world = World::new(seed, true);
        for _ in 0..80 {
            world.step();
        }
        world.settle();
        accepted += world.accepted();
        lost += usize::from(world.lost);
        own_numbers += world.own_numbers();
        challenges += world.challenges();
    }
    assert!(accepted > 2_500, "{accepted} requests were accepted");
    assert!(
        lost > 50,
        "{lost} contexts were lost before they were stored"
    );
    assert!(
        own_numbers > 2_500,
        "{own_numbers} messages of the gateway had a Partial IV"
    );
    assert!(
        challenges > 250,
        "{challenges} challenges reached the device"
    );
}
