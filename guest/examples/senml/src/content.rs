//! The event: text for people, and the readings for machines.

use std::fmt::Write;

use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::value::Value;
use comatrix_sdk::{code, json};

use crate::pack::{Measured, Reading};

/// The key of the structured content.
pub const KEY: &str = "org.comatrix.senml";

/// Bytes of the event's content: an event has at most 65,536 (Matrix specification, "Size limits"), and its envelope
/// some.
const MAX_CONTENT: usize = 60_000;

/// `msgtype`, `body`, and below [`KEY`] the resolved records under the labels of RFC 8428, with each number as
/// `{"integer", "exponent"}`.
pub fn content(readings: &[Reading]) -> Result<Value, ErrorResponse> {
    let lines: Vec<String> = readings.iter().map(line).collect();
    let content = Value::map([
        ("msgtype", "m.text".into()),
        ("body", lines.join("\n").into()),
        (
            KEY,
            readings.iter().map(structured).collect::<Vec<_>>().into(),
        ),
    ]);
    if json::to_text(&content).len() > MAX_CONTENT {
        let remedy = format!(
            "payload: its event would take more than {MAX_CONTENT} bytes; send several packs"
        );
        return Err(ErrorResponse::new(code::REQUEST_ENTITY_TOO_LARGE, remedy));
    }
    Ok(content)
}

fn structured(reading: &Reading) -> Value {
    let value = reading.value.as_ref().map(|value| match value {
        Measured::Number(number) => ("v", number.value()),
        Measured::Text(text) => ("vs", text.as_str().into()),
        Measured::Bool(truth) => ("vb", (*truth).into()),
        Measured::Bytes(text) => ("vd", text.as_str().into()),
    });
    let pairs = [
        Some(("n", reading.name.as_str().into())),
        reading.unit.as_deref().map(|unit| ("u", unit.into())),
        value,
        reading.sum.map(|sum| ("s", sum.value())),
        reading.time.map(|time| ("t", time.value())),
        reading.update_time.map(|time| ("ut", time.value())),
    ];
    let pairs = pairs.into_iter().flatten();
    Value::Map(
        pairs
            .map(|(label, value)| (label.to_owned(), value))
            .collect(),
    )
}

/// `kitchen/temperature: 21.5 °C (2010-06-08 18:01:16 UTC)`.
fn line(reading: &Reading) -> String {
    let mut line = format!("{}:", reading.name);
    let mut add = |part: std::fmt::Arguments<'_>| {
        // Writing into a string does not fail.
        let _ = line.write_fmt(part);
    };
    match &reading.value {
        Some(Measured::Number(number)) => add(format_args!(" {number}{}", unit(reading))),
        Some(Measured::Text(text)) => add(format_args!(" {}", one_line(text))),
        Some(Measured::Bool(truth)) => add(format_args!(" {truth}")),
        Some(Measured::Bytes(text)) => add(format_args!(" {}", one_line(text))),
        None => {}
    }
    if let Some(sum) = reading.sum {
        add(format_args!(" (sum {sum}{})", unit(reading)));
    }
    let moment = reading.time.filter(|_| reading.timed);
    if let Some(moment) = moment.and_then(|time| utc(time.floor()?)) {
        add(format_args!(" ({moment})"));
    }
    line
}

/// Units as people write them, where SenML's names (RFC 8428 §12.1) are not.
fn unit(reading: &Reading) -> String {
    match reading.unit.as_deref() {
        None | Some("/" | "") => String::new(),
        Some("Cel") => " °C".to_owned(),
        Some("%RH") => " % RH".to_owned(),
        Some("Ohm") => " Ω".to_owned(),
        Some(other) => format!(" {}", one_line(other)),
    }
}

/// A device's text must not look like another reading's line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// The date and time of day; none before the year 1 or after 9999.
fn utc(seconds: i64) -> Option<String> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01 in eras of 400 years: the leap day is then a year's last.
    let days = days.checked_add(719_468)?;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era.checked_mul(400)? + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (1..=9999)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_times_are_written_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (1_276_020_076, "2010-06-08 18:01:16 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(seconds).as_deref(), Some(text));
        }
        for seconds in [253_402_300_800, i64::MAX, i64::MIN] {
            assert_eq!(utc(seconds), None);
        }
    }
}
