//! `host/devices.md`: every datagram in it is sent to the real gateway, and its sizes are measured.

use std::fs;
use std::thread;

use comatrix_tests::datagrams::line::Line;
use comatrix_tests::datagrams::replay::{ROOM, Replay, replay};
use comatrix_tests::places;

/// The guide.
pub fn guide() -> String {
    let path = places::workspace().join("host/devices.md");
    fs::read_to_string(path).expect("the guide is there")
}

/// The text of a section, to the next one.
pub fn section<'a>(guide: &'a str, title: &str) -> &'a str {
    let heading = format!("\n## {title}\n");
    let (_, rest) = guide
        .split_once(&heading)
        .unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The first block of code in this language.
pub fn block<'a>(section: &'a str, language: &str) -> &'a str {
    let start = format!("```{language}\n");
    let (_, rest) = section
        .split_once(&start)
        .unwrap_or_else(|| panic!("no block of {language}"));
    rest.split("```").next().unwrap_or(rest)
}

/// The cells of the table's rows, without the head; the table begins with `head`.
fn rows<'a>(section: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let (_, table) = section
        .split_once(head)
        .unwrap_or_else(|| panic!("no table {head}"));
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn each_stack_sends_reads_and_observes_with_the_datagrams_of_the_guide() {
    let guide = guide();
    let stacks = [
        "RIOT",
        "Contiki-NG",
        "Zephyr",
        "ESP-IDF",
        "Arduino",
        "Linux",
    ];
    let blocks = stacks.map(|stack| block(section(&guide, stack), "datagrams"));
    let results = thread::scope(|scope| {
        let runs = blocks.map(|block| scope.spawn(move || replay(block)));
        runs.map(|run| {
            run.join()
                .unwrap_or_else(|_| Err("it panicked, see above".to_owned()))
        })
    });
    let mut wrong = Vec::new();
    for (stack, (block, result)) in stacks.iter().zip(blocks.iter().zip(results)) {
        let has = |part: &str| block.lines().any(|line| line.contains(part));
        let is_whole = has("73656e64") && has("< 2.05") && has(" 6=* ") && has("room has 21.5 C");
        assert!(is_whole, "{stack}: a send, a read and an observation");
        if let Err(error) = result {
            wrong.push(format!("{stack}, {error}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The bytes of a text in the guide's tables.
const TEXTS: [usize; 3] = [6, 40, 100];

#[test]
fn requests_have_the_sizes_in_the_guide() {
    let guide = guide();
    let rows = rows(section(&guide, "Buffers"), "| room in the request |");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let room = match row[0] {
            "`!` and 43 more" => format!("!{}", "r".repeat(43)),
            name => name.trim_matches('`').to_owned(),
        };
        for (length, size) in TEXTS.iter().zip(&row[2..]) {
            let mut message = coap::Message::new(coap::code::PUT)
                .with_option(coap::option::URI_PATH, "send")
                .with_option(coap::option::URI_PATH, room.as_str())
                .with_uint_option(coap::option::CONTENT_FORMAT, 0)
                .with_payload("t".repeat(*length));
            if row[1] != "none" {
                message.push_option(coap::option::ACCESS_TOKEN, "t".repeat(40));
            }
            let bytes = coap::encode(&coap::Datagram {
                message_type: coap::MessageType::Confirmable,
                message_id: 1,
                token: coap::Token::new(&[1, 2]).expect("2 bytes"),
                message,
            });
            assert_eq!(*size, bytes.len().to_string(), "{row:?}");
        }
    }
}

#[test]
fn responses_have_the_sizes_in_the_guide() {
    let guide = guide();
    let rows = rows(section(&guide, "Buffers"), "| response |");
    assert_eq!(rows.len(), 6);
    let observed = thread::scope(|scope| {
        let runs = TEXTS.map(|length| scope.spawn(move || sizes(length)));
        runs.map(|run| run.join().expect("its message stands above"))
    });
    let mut wrong = Vec::new();
    for (column, (length, observed)) in TEXTS.iter().zip(observed).enumerate() {
        for (row, size) in rows.iter().zip(observed) {
            let written = row[column + 1];
            if written != size.to_string() {
                wrong.push(format!(
                    "{} for {length} characters: {written}, is {size}",
                    row[0]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The bytes of the responses in the table, for texts of this length.
fn sizes(length: usize) -> [usize; 6] {
    let mut replay = Replay::start("", &[]);
    let text = |letter: &str| letter.repeat(length);
    let sent = ask(
        &mut replay,
        "device1",
        "420300010102b473656e64076b69746368656e10ff61",
    );
    let id = ask(
        &mut replay,
        "device6",
        "420300010102b473656e64076b69746368656e1050ff61",
    );
    replay.rooms.say(ROOM, &text("a"));
    let body = ask(
        &mut replay,
        "device2",
        "420100010102b66765746d7367076b69746368656e60",
    );
    let map = ask(
        &mut replay,
        "device3",
        "420100010102b66765746d7367076b69746368656e",
    );
    ask(
        &mut replay,
        "device4",
        "42010001010260566765746d7367076b69746368656e60",
    );
    ask(
        &mut replay,
        "device5",
        "42010001010260566765746d7367076b69746368656e",
    );
    replay.rooms.say(ROOM, &text("b"));
    let mut next = |device: &str| {
        replay
            .receive(device)
            .expect("a notification comes")
            .0
            .len()
    };
    [sent, id, body, map, next("device4"), next("device5")]
}

#[test]
fn blocks_of_32_bytes_leave_in_datagrams_of_the_size_in_the_guide() {
    let guide = guide();
    let (_, rest) = guide
        .split_once("gets datagrams of at most ")
        .expect("it says so");
    let most = rest
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    let mut replay = Replay::start("", &[]);
    replay.rooms.say(ROOM, &"a".repeat(100));
    let read = ask(
        &mut replay,
        "device1",
        "420100010102b66765746d7367076b69746368656ec101",
    );
    let observed = ask(
        &mut replay,
        "device2",
        "42010001010260566765746d7367076b69746368656ec101",
    );
    replay.rooms.say(ROOM, &"b".repeat(100));
    let notification = replay
        .receive("device2")
        .expect("a notification comes")
        .0
        .len();
    let sent = ask(
        &mut replay,
        "device2",
        "420300020102b473656e64076b69746368656e10ff61",
    );
    assert_eq!(
        Some([read, observed, notification, sent].into_iter().max()),
        Some(most)
    );
}

/// The bytes of the response to a request in hex.
fn ask(replay: &mut Replay, device: &str, request: &str) -> usize {
    let sends = Line::Sends(device.to_owned(), request.to_owned());
    replay.step(&sends).expect("sending does not fail");
    let received = replay.receive(device);
    received
        .unwrap_or_else(|| panic!("no response to {request}"))
        .0
        .len()
}
