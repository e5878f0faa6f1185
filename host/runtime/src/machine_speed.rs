//! How fast this machine runs rules. A rule's limit of time is the time on a reference machine; a slower machine gives
//! its rules as many times more, so that the same requests pass on every build.
//!
//! The factor is measured once, by CPU time: a busy machine is no slow one. Fuel would be exact, but takes time in
//! every call of every rule.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;

use crate::call::thread_cpu_time;
use crate::engine::target::Target;

/// The time that a [`piece`] takes on the reference machine, a core of a shared server: 40 to 55 µs.
const REFERENCE: Duration = Duration::from_micros(50);
/// Interpreted code takes this many times the time of native code: measured with the densest requests and responses.
const INTERPRETED: u32 = 20;
/// The largest factor. With it the densest response passes on an interpreting machine a sixth as fast as the reference
/// machine, and an endless loop ends after 1.2 s.
const LARGEST: u32 = 60;
/// Runs, of which the median counts. All of them take half a millisecond on the reference machine.
const RUNS: usize = 9;

static FACTOR: LazyLock<u32> = LazyLock::new(|| {
    let mut runs = [(); RUNS].map(|()| {
        let began = thread_cpu_time();
        black_box(piece(black_box(1)));
        thread_cpu_time().saturating_sub(began)
    });
    runs.sort_unstable();
    factor(runs[RUNS / 2], Target::own() == Some(Target::Pulley32))
});

/// How many times its limit of time a call gets on this machine: 1 to 60. The first use measures it.
#[must_use]
pub fn time_factor() -> u32 {
    *FACTOR
}

/// A whole number, rounded: two measurements on the reference machine do not differ by as much as a half.
fn factor(piece: Duration, is_interpreted: bool) -> u32 {
    let slower = piece.as_secs_f64() / REFERENCE.as_secs_f64();
    let factor = match is_interpreted {
        // Interpreted or not, no machine counts as faster than the reference machine.
        true => slower.max(1.0) * f64::from(INTERPRETED),
        false => slower,
    };
    // A number in these bounds is not cut.
    factor.round().clamp(1.0, f64::from(LARGEST)) as u32
}

/// A piece of work as rules do it: reads and writes of bytes in a few KiB, and branches that depend on them.
fn piece(seed: u32) -> u32 {
    let mut bytes = [0_u8; 4096];
    let mut state = seed;
    for _ in 0..8 {
        for at in 0..bytes.len() {
            state = state.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            let other = (state >> 20) as usize;
            bytes[at] = if bytes[other] & 1 == 0 {
                bytes[other].wrapping_add(3)
            } else {
                bytes[other] ^ state.to_be_bytes()[0]
            };
        }
    }
    bytes
        .iter()
        .fold(state, |sum, byte| sum.rotate_left(1) ^ u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_as_fast_as_the_reference_or_faster_has_the_limits_as_they_are() {
        for micros in [1, 39, 54, 74] {
            assert_eq!(factor(Duration::from_micros(micros), false), 1, "{micros}");
        }
    }

    #[test]
    fn a_slower_machine_and_an_interpreter_have_more_time_within_bounds() {
        assert_eq!(factor(Duration::from_micros(160), false), 3);
        assert_eq!(factor(Duration::from_micros(30), true), 20);
        assert_eq!(factor(Duration::from_micros(110), true), 44);
        assert_eq!(factor(Duration::from_secs(1), false), LARGEST);
        assert_eq!(factor(Duration::MAX, true), LARGEST);
    }

    #[test]
    fn the_factor_is_measured_once() {
        assert_eq!(time_factor(), time_factor());
        assert!((1..=LARGEST).contains(&time_factor()));
    }
}
