//! Numbers as integers with a power of ten: Matrix forbids floats in events.

use std::fmt;

use comatrix_sdk::Value;

/// The largest integer of Matrix's canonical JSON, 2^53 − 1 (Matrix specification, appendices, "Canonical JSON").
const MAX_DIGITS: u128 = (1 << 53) - 1;

/// Powers of ten beyond any double's; a decimal fraction with a larger one is refused.
const MAX_EXPONENT: i64 = 400;

/// `digits` × 10^`exponent`, with at most 15 or 16 digits, as many as a double has; more are rounded. Of all forms of a
/// number the one with the fewest digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i64,
    exponent: i32,
}

impl Decimal {
    /// 0.
    pub const ZERO: Decimal = Decimal {
        digits: 0,
        exponent: 0,
    };

    /// `digits` × 10^`exponent`; none if the exponent is absurd.
    pub fn new(digits: i128, exponent: i64) -> Option<Decimal> {
        if digits == 0 {
            return Some(Decimal::ZERO);
        }
        let mut exponent = i32::try_from(exponent)
            .ok()
            .filter(|exponent| i64::from(*exponent).abs() <= MAX_EXPONENT)?;
        let mut rest = digits.unsigned_abs();
        let mut last = 0;
        while rest > MAX_DIGITS {
            (rest, last) = (rest / 10, rest % 10);
            exponent += 1;
        }
        // Away from zero, as people round. 2^53 − 1 itself, rounded up, is an integer of one digit more.
        rest += u128::from(last >= 5);
        while rest.is_multiple_of(10) || rest > MAX_DIGITS {
            rest /= 10;
            exponent += 1;
        }
        let rest = rest as i64;
        let digits = if digits < 0 { -rest } else { rest };
        Some(Decimal { digits, exponent })
    }

    /// The shortest decimal that means this float; none of NaN and infinities.
    pub fn from_f64(number: f64) -> Option<Decimal> {
        Decimal::parse(&format!("{number:e}"))
    }

    /// As [`from_f64`](Decimal::from_f64), for one that was sent with half the digits: 23.1 and not 23.100000381469727.
    pub fn from_f32(number: f32) -> Option<Decimal> {
        Decimal::parse(&format!("{number:e}"))
    }

    /// As Rust writes floats: `-2.31e1`.
    fn parse(text: &str) -> Option<Decimal> {
        let (number, exponent) = text.split_once('e')?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i64 = exponent.parse().ok()?;
        Decimal::new(digits, exponent - fraction.len() as i64)
    }

    /// The sum.
    pub fn plus(self, other: Decimal) -> Decimal {
        let (high, low) = match self.exponent >= other.exponent {
            true => (self, other),
            false => (other, self),
        };
        let scaled = 10_i128
            .checked_pow(high.exponent.abs_diff(low.exponent))
            .and_then(|power| power.checked_mul(high.digits.into()));
        match scaled.map(|scaled| scaled + i128::from(low.digits)) {
            Some(sum) => Decimal::new(sum, low.exponent.into()).unwrap_or(Decimal::ZERO),
            // More than 20 powers of ten larger: the other one is below its last digit. Zero is none of them.
            None if high.digits == 0 => low,
            None => high,
        }
    }

    /// Whether it is below `whole`.
    pub fn is_below(self, whole: i64) -> bool {
        let negated = Decimal::new(-i128::from(whole), 0).unwrap_or(Decimal::ZERO);
        self.plus(negated).digits < 0
    }

    /// Whole units, rounded down; none if there are too many for an `i64`.
    pub fn floor(self) -> Option<i64> {
        let power = 10_i64.checked_pow(self.exponent.unsigned_abs());
        match (self.exponent < 0, power) {
            (false, power) => self.digits.checked_mul(power?),
            (true, Some(power)) => Some(self.digits.div_euclid(power)),
            (true, None) => Some(self.digits.signum().min(0)),
        }
    }

    /// `{"integer", "exponent"}`.
    pub fn value(self) -> Value {
        Value::map([
            ("integer", self.digits.into()),
            ("exponent", self.exponent.into()),
        ])
    }
}

/// In full where that is short, else as in `1.5e-30`.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        let point = digits.len() as i32 + self.exponent;
        match point {
            _ if self.exponent >= 0 && point <= 16 => {
                write!(
                    formatter,
                    "{sign}{digits}{}",
                    "0".repeat(self.exponent as usize)
                )
            }
            -5..=0 => write!(formatter, "{sign}0.{}{digits}", "0".repeat(-point as usize)),
            1.. if self.exponent < 0 => {
                let (whole, fraction) = digits.split_at(point as usize);
                write!(formatter, "{sign}{whole}.{fraction}")
            }
            _ => {
                let (first, rest) = digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                write!(formatter, "{sign}{first}{dot}{rest}e{}", point - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(digits: i128, exponent: i64) -> Decimal {
        Decimal::new(digits, exponent).expect("the exponent is small")
    }

    #[test]
    fn a_number_is_written_as_people_read_it() {
        for (digits, exponent, text) in [
            (0, 7, "0"),
            (215, -1, "21.5"),
            (-5, -1, "-0.5"),
            (12, -4, "0.0012"),
            (1, -9, "1e-9"),
            (-15, -31, "-1.5e-30"),
            (1013, 2, "101300"),
            (3, 20, "3e20"),
            (90_071_992_547_409_915, 0, "9.00719925474099e16"),
        ] {
            assert_eq!(decimal(digits, exponent).to_string(), text);
        }
    }

    #[test]
    fn a_sum_has_no_binary_noise() {
        assert_eq!(decimal(1, -1).plus(decimal(2, -1)), decimal(3, -1));
        assert_eq!(decimal(20, 0).plus(decimal(13, -1)), decimal(213, -1));
        assert_eq!(decimal(1, 300).plus(decimal(-7, -300)), decimal(1, 300));
        assert_eq!(Decimal::ZERO.plus(decimal(7, -300)), decimal(7, -300));
        assert_eq!(decimal(5, 0).plus(decimal(-5, 0)), Decimal::ZERO);
    }

    #[test]
    fn floats_keep_the_digits_that_they_were_sent_with() {
        assert_eq!(Decimal::from_f32(23.1), Some(decimal(231, -1)));
        assert_eq!(Decimal::from_f64(23.1), Some(decimal(231, -1)));
        assert_eq!(Decimal::from_f64(-0.0), Some(Decimal::ZERO));
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(Decimal::from_f64(f64::INFINITY), None);
    }

    #[test]
    fn more_digits_than_matrix_takes_are_rounded_and_absurd_exponents_refused() {
        assert_eq!(
            decimal(i128::from(u64::MAX), 0).value(),
            decimal(1_844_674_407_370_955, 4).value()
        );
        assert_eq!(Decimal::new(1, 401), None);
        assert_eq!(Decimal::new(1, i64::MIN), None);
        assert_eq!(Decimal::new(0, i64::MAX), Some(Decimal::ZERO));
    }

    #[test]
    fn whole_units_are_rounded_down() {
        assert_eq!(decimal(-15, -1).floor(), Some(-2));
        assert_eq!(decimal(15, -1).floor(), Some(1));
        assert_eq!(decimal(-1, -300).floor(), Some(-1));
        assert_eq!(decimal(1, 300).floor(), None);
    }

    proptest! {
        #[test]
        fn a_float_means_the_same_after_rounding_to_15_digits(number in prop::num::f64::NORMAL) {
            let decimal = Decimal::from_f64(number).expect("finite");
            let back: f64 = decimal.to_string().parse().expect("a number");
            prop_assert!((back - number).abs() <= number.abs() * 1e-15, "{number} {decimal}");
        }

        #[test]
        fn sums_of_integers_are_exact(one in -(1_i64 << 51)..1 << 51, other in -(1_i64 << 51)..1 << 51) {
            let sum = decimal(one.into(), 0).plus(decimal(other.into(), 0));
            prop_assert_eq!(sum, decimal((one + other).into(), 0));
            prop_assert_eq!(sum.floor(), Some(one + other));
            prop_assert_eq!(sum.is_below(0), one + other < 0);
        }
    }
}
