//! The program of libcoap in `host/devices.md`: it is compiled and run, and its datagrams are those of the guide.

use std::fs;
use std::process::Command;
use std::time::Duration;

use comatrix_tests::datagrams::line::{Line, lines};
use comatrix_tests::datagrams::replay::{ROOM, Replay};
use comatrix_tests::datagrams::words::hex;
use comatrix_tests::places::{Scratch, on_path};
use comatrix_tests::supervised::Supervised;
use comatrix_tests::wire::{Loss, Sender, Wire};

use crate::device_guide::{block, guide, section};

/// On a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_program_of_libcoap_sends_reads_and_observes_with_the_bytes_in_the_guide() {
    let guide = guide();
    let section = section(&guide, "Linux");
    let scratch = Scratch::new("guide-libcoap");
    let (source, program) = (
        scratch.path().join("device.c"),
        scratch.path().join("device"),
    );
    fs::write(&source, block(section, "c")).expect("the folder is the test's");
    let compiled = Command::new(on_path(&["cc"]))
        .args(["-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(&source)
        .arg("-lcoap-3-notls")
        .output()
        .expect("it was found on the path");
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "run `cargo xtask setup`; {said}");

    let replay = Replay::start("", &[]);
    let wire = Wire::to(replay.address(), Loss::NOTHING);
    let port = wire.address.port().to_string();
    let words = ["127.0.0.1", &port, "21.5 C"];
    let log = scratch.path().join("errors");
    let mut device = Supervised::start(&program, &words, scratch.path(), &log);
    let read = "2.05, 6 bytes: 21.5 C";
    // The response to the send, that to the read, and the first one of the observation.
    for expected in ["2.04, 56 bytes", read, read] {
        assert_eq!(device.next_line(PATIENCE).as_deref(), Some(expected));
    }
    replay.rooms.say(ROOM, "off");
    let last = device.next_line(PATIENCE);
    assert_eq!(last.as_deref(), Some("2.05, 3 bytes: off"));
    assert_eq!(device.wait(PATIENCE), Some(0));
    assert_eq!(replay.rooms.bodies(), ["21.5 C", "off"]);

    let without_ids = |bytes: &[u8]| {
        let message = coap::decode(bytes).expect("it is CoAP").message;
        // The options of a message are shown without their values.
        coap::encode(&coap::Datagram {
            message_type: coap::MessageType::Confirmable,
            message_id: 0,
            token: coap::Token::default(),
            message,
        })
    };
    let in_guide: Vec<Vec<u8>> = lines(block(section, "datagrams"))
        .into_iter()
        .filter_map(|(_, line)| match line {
            Line::Sends(_, text) => Some(without_ids(&hex(&text, &Default::default()))),
            _ => None,
        })
        .collect();
    let mut on_the_wire: Vec<Vec<u8>> = wire
        .sent_by(Sender::Device)
        .iter()
        .map(|packet| packet.to_bytes().expect("it was a datagram"))
        .filter(|bytes| {
            coap::decode(bytes).is_ok_and(|one| coap::code::is_request(one.message.code))
        })
        .map(|bytes| without_ids(&bytes))
        .collect();
    // A busy machine may make it retransmit.
    on_the_wire.dedup();
    assert_eq!(on_the_wire, in_guide);
}
