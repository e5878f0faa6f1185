//! Times as the file has them: a number and its unit, such as `"5s"`, `"500ms"` or `"7d"`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::ConfigError;
use contract::escaping::escaped;

fn parse(text: &str) -> Option<Duration> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(end);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "min" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

/// The time that `setting` has.
///
/// # Errors
/// [`ConfigError`] for a text that is no time, and for one out of the range.
pub(super) fn within(
    setting: &str,
    text: &str,
    range: RangeInclusive<Duration>,
) -> Result<Duration, ConfigError> {
    let parsed = parse(text).filter(|time| range.contains(time));
    parsed.ok_or_else(|| {
        ConfigError(format!(
            "{setting} = \"{}\" is not a time from {:?} to {:?}; write a whole number and its unit (ms, s, min, h, \
             d), such as \"2s\" or \"500ms\"",
            escaped(text, 64),
            range.start(),
            range.end()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(10);

    #[test]
    fn seconds_and_milliseconds_are_times() {
        for (text, milliseconds) in [("10s", 10_000), ("100ms", 100), ("1500ms", 1_500)] {
            let time = within("x", text, RANGE).expect(text);
            assert_eq!(time, Duration::from_millis(milliseconds));
        }
    }

    #[test]
    fn other_texts_and_times_out_of_the_range_are_refused_with_an_example() {
        for text in [
            "",
            "s",
            "ms",
            "5",
            "5 s",
            "+5s",
            "-1s",
            "1.5s",
            "1h",
            "11s",
            "99ms",
            "99999999999999999999s",
        ] {
            let error = within("[coap] ack_delay", text, RANGE).expect_err(text);
            let shown = error.to_string();
            assert!(
                shown.contains("\"500ms\"") && shown.contains("100ms to 10s"),
                "{shown}"
            );
        }
    }
}
