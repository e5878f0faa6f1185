//! An estimate of the median size of a rule's inputs: a histogram of fixed size.

/// Steps between two powers of two: the estimate is at most an eighth too high.
const STEPS: usize = 8;
/// Places of the histogram: more than a request with all its blocks, or an HTTP response, can need.
const PLACES: usize = STEPS * 24;
/// At this number of inputs all counts are halved: old inputs fade, and a count fits into 16 bits.
const FADING: u32 = 1024;

/// The sizes of the latest inputs.
#[derive(Debug)]
pub(super) struct InputSizes {
    counts: [u16; PLACES],
    all: u32,
}

impl Default for InputSizes {
    fn default() -> Self {
        Self {
            counts: [0; PLACES],
            all: 0,
        }
    }
}

impl InputSizes {
    pub(super) fn record(&mut self, bytes: usize) {
        if self.all >= FADING {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.all = self.counts.iter().copied().map(u32::from).sum();
        }
        self.counts[place(bytes)] += 1;
        self.all += 1;
    }

    /// Whether an input is larger than the median. Without an input before it, none is.
    pub(super) fn is_above_median(&self, bytes: usize) -> bool {
        let mut below = 0;
        let median = self.counts.iter().position(|count| {
            below += u32::from(*count);
            below > 0 && below * 2 >= self.all
        });
        median.is_some_and(|median| place(bytes) > median)
    }
}

/// The place of a size: small sizes have one each, larger ones share one with their neighbours.
fn place(bytes: usize) -> usize {
    if bytes < STEPS {
        return bytes;
    }
    let exponent = bytes.ilog2() as usize;
    let octave = exponent - STEPS.ilog2() as usize;
    let step = (bytes >> octave) - STEPS;
    ((octave + 1) * STEPS + step).min(PLACES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_grow_with_the_size_and_any_size_has_one() {
        let mut last = 0;
        for bytes in 0..100_000 {
            let next = place(bytes);
            assert!(next == last || next == last + 1, "{bytes}");
            last = next;
        }
        assert!(place(2 << 20) < PLACES - 1);
        assert_eq!(place(usize::MAX), PLACES - 1);
    }

    #[test]
    fn an_input_above_the_median_is_found_and_equal_ones_are_not_above() {
        let mut sizes = InputSizes::default();
        assert!(
            !sizes.is_above_median(1 << 20),
            "there is none to compare with"
        );
        (0..100).for_each(|_| sizes.record(60));
        assert!(!sizes.is_above_median(60));
        assert!(sizes.is_above_median(80));
        (0..40).for_each(|_| sizes.record(60_000));
        assert!(sizes.is_above_median(80), "two sevenths move no median");
    }

    #[test]
    fn old_inputs_fade() {
        let mut sizes = InputSizes::default();
        (0..1_000_000).for_each(|_| sizes.record(60_000));
        (0..1_100).for_each(|_| sizes.record(60));
        assert!(sizes.is_above_median(60_000));
    }
}
