//! Numbers formatted for people, on the page and in the terminal.

use std::net::IpAddr;

use super::status::SecurityStatus;
use crate::telemetry::recorder::Device;

/// 27513 as `27,513`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration in its largest two units.
pub(crate) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// The time from `then` to `now`, both in milliseconds since 1970.
pub(crate) fn ago(now: u64, then: u64) -> String {
    before(now.saturating_sub(then) / 1000)
}

/// A time that is so many seconds in the past.
pub(crate) fn before(seconds: u64) -> String {
    match seconds {
        0 => "just now".to_owned(),
        seconds => format!("{} ago", span(seconds)),
    }
}

/// A count with its unit, in the plural if needed.
pub(crate) fn counted(count: u64, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", grouped(count))
}

/// The time of day, in UTC.
pub(crate) fn clock(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000 % 86_400;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// Bytes as megabytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Milliseconds, with a useful number of digits.
pub(crate) fn milliseconds(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 10_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1e3)
    }
}

/// What a device is thought to be able to do, from its requests.
pub(crate) fn abilities(device: &Device) -> String {
    let mut text = match device.is_proven {
        true => "address proven".to_owned(),
        false => "address not proven".to_owned(),
    };
    if let Some(size) = device.block_size {
        text.push_str(&format!(", blocks of {} bytes", grouped(size as u64)));
    }
    if device.ignores_responses {
        text.push_str(", no separate responses");
    }
    text
}

/// Devices that prove who they are, in one line.
pub(crate) fn security(security: &SecurityStatus) -> String {
    let mut text = format!(
        "{} enrolled: {}, {}, {} logged in",
        grouped(security.enrolled as u64),
        counted(security.security_sessions as u64, "DTLS session"),
        counted(security.security_contexts as u64, "OSCORE context"),
        grouped(security.sessions as u64)
    );
    for (reason, count) in &security.refused_handshakes {
        text.push_str(&format!(
            "; handshakes refused, {reason}: {}",
            grouped(*count)
        ));
    }
    if security.refused_messages > 0 {
        let count = grouped(security.refused_messages);
        text.push_str(&format!("; OSCORE messages refused: {count}"));
    }
    text
}

/// A device by its address, and by its name if it has one.
pub(crate) fn named(address: IpAddr, name: Option<&str>) -> String {
    name.map_or_else(|| address.to_string(), |name| format!("{name} ({address})"))
}

/// The beginning of a digest, as the log has it.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secured_devices_have_a_line_and_a_device_has_its_name() {
        let mut status = SecurityStatus {
            enrolled: 3,
            security_sessions: 1,
            security_contexts: 2,
            sessions: 2,
            ..SecurityStatus::default()
        };
        let quiet = "3 enrolled: 1 DTLS session, 2 OSCORE contexts, 2 logged in";
        assert_eq!(security(&status), quiet);
        status.refused_handshakes = vec![("wrong key".to_owned(), 1200)];
        status.refused_messages = 4;
        let expected =
            format!("{quiet}; handshakes refused, wrong key: 1,200; OSCORE messages refused: 4");
        assert_eq!(security(&status), expected);
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(named(address, Some("kitchen")), "kitchen (192.0.2.1)");
        assert_eq!(named(address, None), "192.0.2.1");
    }

    #[test]
    fn numbers_are_grouped() {
        let all = [0, 7, 999, 1000, 27_513, 1_000_000].map(grouped);
        assert_eq!(all, ["0", "7", "999", "1,000", "27,513", "1,000,000"]);
        let all = [0, 1, 1200].map(|count| counted(count, "call"));
        assert_eq!(all, ["0 calls", "1 call", "1,200 calls"]);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let all = [0, 59, 60, 3599, 3600, 86_399, 86_400, 900_000].map(span);
        let expected = [
            "0 s",
            "59 s",
            "1 min",
            "59 min",
            "1 h 0 min",
            "23 h 59 min",
            "1 d 0 h",
            "10 d 10 h",
        ];
        assert_eq!(all, expected);
        assert_eq!(ago(10_000, 9_500), "just now");
        assert_eq!(ago(70_000, 5_000), "1 min ago");
        // The clock was set back.
        assert_eq!(ago(5_000, 70_000), "just now");
    }

    #[test]
    fn what_a_device_can_do_is_said_in_words() {
        let known = Device {
            name: None,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            unix_ms: 0,
            requests: 1,
            code: "2.05".to_owned(),
            is_proven: true,
            block_size: Some(1024),
            ignores_responses: true,
        };
        let unknown = Device {
            is_proven: false,
            block_size: None,
            ignores_responses: false,
            ..known.clone()
        };
        let expected = "address proven, blocks of 1,024 bytes, no separate responses";
        assert_eq!(abilities(&known), expected);
        assert_eq!(abilities(&unknown), "address not proven");
    }

    #[test]
    fn the_time_of_day_is_utc() {
        assert_eq!(clock(1_763_769_603_999), "00:00:03");
        assert_eq!(clock(1_763_769_599_000), "23:59:59");
    }

    #[test]
    fn milliseconds_have_as_many_digits_as_are_of_use() {
        let all = [0.04, 9.94, 41.7, 9_999.0, 10_049.0].map(milliseconds);
        assert_eq!(all, ["0.0 ms", "9.9 ms", "42 ms", "9999 ms", "10.0 s"]);
    }
}
