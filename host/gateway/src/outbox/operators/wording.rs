//! Messages of the outbox as text for a terminal.

use super::request::{Listing, RecordContent, RecordDetails, RecordLine, RecordState, WaitsFor};
use crate::admin::wording::{before, counted, grouped, megabytes, span};

/// The columns of a list; the last one has no width.
const COLUMNS: [&str; 9] = [
    "ID",
    "STATE",
    "AGE",
    "DEVICE",
    "RULE",
    "HOMESERVER",
    "ROOM",
    "ATTEMPTS",
    "WAITS FOR, OR HAS FAILED BECAUSE OF",
];

/// A list: a line for each message, and the totals.
pub(super) fn list(list: &Listing) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(list.records.iter().map(row));
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS.len()]| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = match list.records.is_empty() {
        true => Vec::new(),
        false => rows.iter().map(line).collect(),
    };
    lines.push(totals(list));
    lines.join("\n")
}

fn row(record: &RecordLine) -> [String; COLUMNS.len()] {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    [
        record.id.clone(),
        state(record.state).to_owned(),
        span(record.age_seconds),
        or_dash(&record.device),
        or_dash(&record.rule),
        or_dash(&record.homeserver),
        or_dash(&record.lane),
        record.attempts.to_string(),
        why(record),
    ]
}

/// What it waits for, or why it failed; or why its record cannot be read.
fn why(record: &RecordLine) -> String {
    let waits_for = record.waits_for.map(waits_for);
    let parts = [waits_for, record.reason.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

fn totals(list: &Listing) -> String {
    let messages = counted(list.waiting as u64, "message");
    let verb = if list.waiting == 1 { "waits" } else { "wait" };
    let mut line = format!("{messages} {verb}");
    if let Some(oldest) = list.oldest_seconds {
        let bytes = megabytes(list.waiting_bytes as u64);
        line.push_str(&format!(
            " ({bytes}, the oldest for {}, {} in flight)",
            span(oldest),
            grouped(list.in_flight as u64)
        ));
    }
    line.push_str(&format!("; {} failed", grouped(list.failed as u64)));
    if list.left_out > 0 {
        line.push_str(&format!(
            "; {} of them are not shown, see --limit",
            grouped(list.left_out as u64)
        ));
    }
    line
}

/// A message, a line for each part.
pub(super) fn details(details: &RecordDetails) -> String {
    let RecordDetails { line, .. } = details;
    let dash = || "-".to_owned();
    let mut parts = vec![
        ("id", details.id.clone()),
        ("state", in_words(line)),
        ("accepted", accepted(details)),
        ("attempts", attempts(details)),
    ];
    if let Some(record) = &details.record {
        parts.extend(of_record(line, record));
    }
    let homeserver = line.homeserver.clone().unwrap_or_else(dash);
    parts.extend([
        ("rule", line.rule.clone().unwrap_or_else(dash)),
        ("homeserver", homeserver),
        ("room", line.lane.clone().unwrap_or_else(dash)),
        ("record", counted(details.bytes as u64, "byte")),
    ]);
    let content = details.record.as_ref();
    if let Some(content) = content.and_then(|record| record.content.clone()) {
        parts.push(("text", content));
    }
    let lines = parts
        .into_iter()
        .map(|(name, value)| format!("{name:12}{value}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn of_record(line: &RecordLine, record: &RecordContent) -> Vec<(&'static str, String)> {
    let device = match &record.principal {
        Some(principal) => format!("{principal} at {}", record.address),
        None => record.address.clone(),
    };
    let account = match record.own_token {
        true => "the access token that the device has presented",
        false => "the configured access token",
    };
    let mut parts = vec![
        ("device", device),
        ("account", account.to_owned()),
        ("transaction", record.transaction.clone()),
    ];
    if let Some(request) = &record.request {
        let bytes = counted(record.content_bytes.unwrap_or(0) as u64, "byte");
        parts.push(("request", format!("{request}, {bytes} of text")));
    }
    if let (RecordState::Sent, Some(sent)) = (line.state, &record.sent) {
        parts.push(("response", sent.to_string()));
    }
    parts
}

fn in_words(line: &RecordLine) -> String {
    match line.state {
        RecordState::Waiting => format!("waits for {}", why(line)),
        RecordState::Sent => "sent".to_owned(),
        RecordState::Failed => format!("failed: {}", why(line)),
    }
}

fn accepted(details: &RecordDetails) -> String {
    let age = details.line.age_seconds;
    match details.accepted_unix {
        Some(unix) => format!("{}, at Unix time {unix}", before(age)),
        None => format!("{} or earlier: the clock was not set", before(age)),
    }
}

fn attempts(details: &RecordDetails) -> String {
    let since = format!("{} since the gateway was started", details.line.attempts);
    let record = details.record.as_ref();
    match record.is_some_and(|record| record.attempted) {
        true => format!("{since}, and one at least before it was stored"),
        false => since,
    }
}

fn state(state: RecordState) -> &'static str {
    match state {
        RecordState::Waiting => "waiting",
        RecordState::Sent => "sent",
        RecordState::Failed => "failed",
    }
}

fn waits_for(what: WaitsFor) -> &'static str {
    match what {
        WaitsFor::Lane => "those before it",
        WaitsFor::InFlight => "the result of its attempt",
        WaitsFor::Turn => "its turn",
        WaitsFor::Homeserver => "its homeserver, which does not respond",
        WaitsFor::Pause => "the end of a pause after a failure",
        WaitsFor::Limited => "the end of a pause that its homeserver asked for",
        WaitsFor::Token => "a new access token: the homeserver refuses the present one",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, lane: &str, waits_for: Option<WaitsFor>) -> RecordLine {
        RecordLine {
            id: id.to_owned(),
            state: match waits_for {
                Some(_) => RecordState::Waiting,
                None => RecordState::Failed,
            },
            age_seconds: 200,
            device: Some("192.0.2.1".to_owned()),
            rule: Some("comatrix".to_owned()),
            homeserver: Some("https://matrix.example.org".to_owned()),
            lane: Some(lane.to_owned()),
            attempts: 2,
            waits_for,
            reason: waits_for
                .is_none()
                .then(|| "M_FORBIDDEN: not in the room".to_owned()),
        }
    }

    #[test]
    fn a_list_has_a_line_for_each_message_and_says_how_many_are_left_out() {
        let list_of = Listing {
            records: vec![
                record("0123456789ab", "!a:h", Some(WaitsFor::Homeserver)),
                record("ba9876543210", "!longer:h", None),
            ],
            left_out: 19_949,
            waiting: 20_000,
            waiting_bytes: 8_000_000,
            oldest_seconds: Some(200),
            in_flight: 1,
            failed: 1,
        };
        let text = list(&list_of);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        let columns = "0123456789ab  waiting  3 min  192.0.2.1  comatrix  https://matrix.example.org  !a:h       2  ";
        assert!(lines[1].starts_with(columns), "{text}");
        assert!(lines[1].ends_with("  its homeserver, which does not respond"));
        assert!(lines[2].contains("!longer:h  2  ") && lines[2].ends_with("not in the room"));
        let totals = "20,000 messages wait (8.0 MB, the oldest for 3 min, 1 in flight); 1 failed; \
            19,949 of them are not shown, see --limit";
        assert_eq!(lines[3], totals);
        assert_eq!(list(&Listing::default()), "0 messages wait; 0 failed");
    }

    #[test]
    fn a_message_has_a_line_for_each_part_and_its_text_only_if_it_was_asked_for() {
        let mut details_of = RecordDetails {
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            line: record("0123456789ab", "!a:h", Some(WaitsFor::Token)),
            accepted_unix: Some(1_800_000_000),
            ended_unix: None,
            bytes: 612,
            record: None,
        };
        let unreadable = details(&details_of);
        assert!(
            unreadable.contains("waits for a new access token"),
            "{unreadable}"
        );
        details_of.record = Some(RecordContent {
            address: "192.0.2.1".to_owned(),
            principal: None,
            transaction: "17".to_owned(),
            own_token: true,
            attempted: true,
            revived_unix: None,
            request: Some("PUT /rooms/!a:h/send/m.room.message".to_owned()),
            content_bytes: Some(41),
            content: None,
            sent: None,
        });
        let text = details(&details_of);
        for part in [
            "accepted    3 min ago, at Unix time 1800000000",
            "attempts    2 since the gateway was started, and one at least before it was stored",
            "account     the access token that the device has presented",
            "request     PUT /rooms/!a:h/send/m.room.message, 41 bytes of text",
            "record      612 bytes",
        ] {
            assert!(text.lines().any(|line| line == part), "{part:?}: {text}");
        }
        assert!(!text.contains("\ntext"), "{text}");
    }
}
