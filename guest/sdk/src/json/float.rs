//! From decimal digits to the nearest float.
//!
//! Numbers of 128 bits are enough: a float has 53, and the closest that a power of ten times 64 bits comes to the
//! middle between two floats, without being the middle, is about 2^-115 of its size (Mushtak, Lemire: "Fast number
//! parsing without fallback"). Exact integers of any length would take ten times the code.

/// Digits that are read; they fit into 127 bits. More would change the number by less than [`ERROR`].
const MAX_DIGITS: usize = 38;

/// Beyond it every number is infinite or zero.
const MAX_EXPONENT: i32 = 400;

/// 27: 5^27 is the largest power of five of 64 bits.
const STEP: u32 = 27;

/// 5^27, 5^54, 5^108 and 5^216: their products are the powers of all multiples of 27 up to 405.
const POWERS: [Extended; 4] = [
    Extended::constant(0xcecb_8f27_f420_0f3a_0000_0000_0000_0000, -65, true),
    Extended::constant(0xa70c_3c40_a64e_6c51_9990_90b6_5f67_d924, -2, true),
    Extended::constant(0xda01_ee64_1a70_8de9_e80e_6f48_20cc_9495, 123, false),
    Extended::constant(0xb9a7_4a06_37ce_2ee1_6d95_3e2b_d717_3692, 374, false),
];

/// Their inverses. All are cut to 128 bits.
const INVERSES: [Extended; 4] = [
    Extended::constant(0x9e74_d1b7_91e0_7e48_775e_a264_cf55_347d, -190, false),
    Extended::constant(0xc428_d05a_a475_1e4c_aa97_e14c_3c26_b886, -253, false),
    Extended::constant(0x964e_858c_91ba_2655_3a6a_07f8_d510_f86f, -378, false),
    Extended::constant(0xb080_392c_c434_9dec_bd8d_794d_96aa_cfb3, -629, false),
];

/// By how many units of the last of 128 bits a number that is not exact may be too small: at most two from each of at
/// most six products.
const ERROR: u128 = 64;

/// `bits` × 2^`exponent`; the highest bit is set.
#[derive(Clone, Copy)]
struct Extended {
    bits: u128,
    exponent: i32,
    is_exact: bool,
}

/// The float nearest to the number with these digits, the fraction's after the point, times 10^`exponent`. Of two at
/// the same distance the even one.
pub(super) fn float(whole: &[u8], fraction: &[u8], exponent: i32) -> f64 {
    let mut number = 0_u128;
    let mut read = 0;
    let mut exponent = exponent.saturating_sub(fraction.len().try_into().unwrap_or(i32::MAX));
    for digit in whole.iter().chain(fraction) {
        if read == MAX_DIGITS {
            exponent = exponent.saturating_add(1);
        } else {
            number = number * 10 + u128::from(digit - b'0');
            read += usize::from(number > 0);
        }
    }
    if number == 0 || exponent < -MAX_EXPONENT {
        return 0.0;
    }
    if exponent > MAX_EXPONENT {
        return f64::INFINITY;
    }
    let (factors, steps, rest) = match u32::try_from(exponent) {
        Ok(exponent) => (&POWERS, exponent / STEP, exponent % STEP),
        Err(_) => {
            let steps = exponent.unsigned_abs().div_ceil(STEP);
            (&INVERSES, steps, steps * STEP - exponent.unsigned_abs())
        }
    };
    let mut product = Extended::new(number).times(Extended::new(5_u128.pow(rest)));
    for (bit, factor) in factors.iter().enumerate() {
        if steps >> bit & 1 == 1 {
            product = product.times(*factor);
        }
    }
    product.exponent += exponent;
    product.round()
}

impl Extended {
    const fn constant(bits: u128, exponent: i32, is_exact: bool) -> Extended {
        Extended {
            bits,
            exponent,
            is_exact,
        }
    }

    fn new(number: u128) -> Extended {
        let zeros = number.leading_zeros();
        Extended {
            bits: number << zeros,
            exponent: -(zeros as i32),
            is_exact: true,
        }
    }

    /// The product, cut to 128 bits.
    fn times(self, other: Extended) -> Extended {
        let halves = |bits: u128| (bits >> 64, bits & u128::from(u64::MAX));
        let ((a, b), (c, d)) = (halves(self.bits), halves(other.bits));
        let ((high, low), (ad, ad_low), (bc, bc_low), (bd, bd_low)) =
            (halves(a * c), halves(a * d), halves(b * c), halves(b * d));
        let (carry, third) = halves(ad_low + bc_low + bd);
        let mut bits = (high << 64 | low) + ad + bc + carry;
        let mut exponent = self.exponent + other.exponent + 128;
        let mut lost = third;
        if bits >> 127 == 0 {
            bits = bits << 1 | third >> 63;
            lost = third << 1 & u128::from(u64::MAX);
            exponent -= 1;
        }
        Extended {
            bits,
            exponent,
            is_exact: self.is_exact && other.is_exact && lost | bd_low == 0,
        }
    }

    fn round(self) -> f64 {
        /// Bits of a float, the hidden one included, and the exponent of the smallest normal one.
        const PRECISION: i32 = 53;
        const LOWEST: i32 = -1022;
        let highest = self.exponent + 127;
        if highest > 1023 {
            return f64::INFINITY;
        }
        // A float below the normal ones has fewer bits.
        let dropped = 128 - PRECISION + (LOWEST - highest).max(0);
        if dropped > 128 {
            return 0.0;
        }
        let half = 1_u128 << (dropped - 1);
        let mantissa = self.bits.checked_shr(dropped as u32).unwrap_or(0) as u64;
        let rest = self.bits & (half | (half - 1));
        let error = if self.is_exact { 0 } else { ERROR };
        let is_up = match rest > half {
            true => true,
            false => rest + error >= half && mantissa & 1 == 1,
        };
        // A mantissa that becomes too long by rounding carries into the exponent, as it must.
        let exponent = (highest.max(LOWEST) - LOWEST) as u64;
        f64::from_bits((exponent << (PRECISION - 1)) + mantissa + u64::from(is_up))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> f64 {
        let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let exponent = exponent.parse().expect("it is a number");
        float(whole.as_bytes(), fraction.as_bytes(), exponent)
    }

    fn same(text: &str) {
        let expected: f64 = text.parse().expect("it is a number");
        assert_eq!(parsed(text).to_bits(), expected.to_bits(), "{text}");
    }

    #[test]
    fn the_middle_between_two_floats_is_rounded_to_the_even_one() {
        for text in [
            "9007199254740993.0",
            "9007199254740995.0",
            "9007199254740993.00000000000000000001",
            "9007199254740992.99999999999999999999",
            "4503599627370497.5",
            "4503599627370498.5",
            "90071992547409930e-1",
            "1125899906842624.125",
            "1125899906842624.375",
            "0.500000000000000055511151231257827021181583404541015625",
        ] {
            same(text);
        }
    }

    #[test]
    fn the_largest_and_the_smallest_floats_are_reached() {
        for text in [
            "0.0",
            "0e999",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "5e-324",
            "2.4703282292062328e-324",
            "2.4703282292062327e-324",
            "1e-400",
            "0.000000000000000000000000000000000000000000000000001e60",
        ] {
            same(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn every_float_comes_back_from_its_shortest_form(bits: u64) {
            let number = f64::from_bits(bits & !(1 << 63));
            prop_assume!(number.is_finite());
            let read = parsed(&format!("{number:e}"));
            prop_assert_eq!(read.to_bits(), number.to_bits());
        }

        #[test]
        fn any_digits_become_the_nearest_float(
            whole in "[0-9]{1,20}",
            fraction in "[0-9]{0,30}",
            exponent in -350..330,
        ) {
            same(&format!("{whole}.{fraction}e{exponent}"));
        }

        #[test]
        fn a_middle_of_few_digits_is_exact(mantissa in 1_u64 << 53..1 << 54, digits in 1..8_u32) {
            // A middle between two floats, shifted to have digits after the point.
            let number = u128::from(mantissa | 1) * 5_u128.pow(digits);
            let text = number.to_string();
            let (whole, fraction) = text.split_at(text.len() - digits as usize);
            same(&format!("{whole}.{fraction}"));
        }
    }
}
