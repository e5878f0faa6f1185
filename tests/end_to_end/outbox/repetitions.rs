//! A device repeats a message: the same transaction, or the same datagram, before, during and after a kill.

use std::thread;
use std::time::Duration;

use comatrix_tests::device::{Request, Response};
use comatrix_tests::udp_device::{Retransmission, UdpDevice};

use super::stage::{ROOM, Stage, queued, send, status, until};

#[test]
fn a_transaction_with_the_same_content_is_one_message_and_with_another_content_another() {
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1);
    let first = queued(&device.request(&send(ROOM, Some("7"), "on")));
    // The device starts again, on another port, and its counter too.
    let mut restarted = stage.device(1);
    let again = queued(&restarted.request(&send(ROOM, Some("7"), "on")));
    assert_eq!(again, first, "it is the same message");
    let second = queued(&restarted.request(&send(ROOM, Some("7"), "off")));
    assert_ne!(second, first, "it is another one");
    // Of another device or in another room it is another one too, of which nobody need hear.
    let others = [
        queued(&stage.device(2).request(&send(ROOM, Some("7"), "on"))),
        queued(&device.request(&send("!other:localhost", Some("7"), "on"))),
    ];
    assert!(!others.contains(&first) && others[0] != others[1]);
    let third = queued(&restarted.request(&send(ROOM, Some("7"), "dim")));
    assert_ne!(third, second);
    let says = "127.0.0.1 sent another message with a transaction id that it has used before";
    let log = stage.log_until(says);
    assert_eq!(log.matches("has used before").count(), 1, "{log}");
    assert!(log.contains(says), "{log}");

    stage.kill();
    stage.start();
    assert_eq!(queued(&device.request(&send(ROOM, Some("7"), "on"))), first);
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["on", "off", "on", "dim"]);
    assert_eq!(stage.outcome(1, &first)["state"], "sent");
    // Also when it was sent, and after another restart.
    assert_eq!(queued(&device.request(&send(ROOM, Some("7"), "on"))), first);
    stage.stop();
    stage.start();
    assert_eq!(queued(&device.request(&send(ROOM, Some("7"), "on"))), first);
    assert_eq!(status(&mut device, &first)["state"], "sent");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(stage.rooms.sent(), 5);
}

/// The same datagram again; the gateway need not be there for the first one.
fn repeated(device: &UdpDevice, datagram: &[u8]) -> Response {
    device.exchange(datagram).expect("a response comes")
}

/// Half of a device's messages have a transaction id.
fn numbered(number: usize) -> Request {
    let txn = format!("t{number}");
    let txn = Some(txn.as_str()).filter(|_| number.is_multiple_of(2));
    // With an access token of its own, a device needs no proof of its address.
    send(ROOM, txn, &number.to_string()).token("own")
}

/// Often enough for a test: a second is far above the time between gateways.
const IMPATIENT: Retransmission = Retransmission {
    timeout: Duration::from_millis(300),
    longest: Duration::from_secs(1),
    give_up: Duration::from_secs(60),
};

#[test]
fn a_datagram_that_is_repeated_before_and_after_a_kill_is_one_message() {
    let mut stage = Stage::new("");
    stage.rooms.stop();
    let mut device = stage.device(1).retransmitting(IMPATIENT);
    let requests = [
        numbered(0),
        numbered(1),
        numbered(2).non(),
        numbered(3).non(),
    ];
    let datagrams = requests.map(|request| device.datagram(&request));
    let responses = datagrams.each_ref().map(|one| repeated(&device, one));
    for (datagram, response) in datagrams.iter().zip(&responses).take(2) {
        assert_eq!(&repeated(&device, datagram), response, "the same response");
    }
    for datagram in &datagrams[2..] {
        // The response to a non-confirmable message does not come twice.
        device.send(datagram);
    }
    for _ in 0..2 {
        stage.kill();
        stage.start();
        for (datagram, response) in datagrams.iter().zip(&responses) {
            let again = repeated(&device, datagram);
            assert_eq!(again.payload, response.payload, "the same id");
        }
    }
    stage.rooms.start_again();
    stage.until_room_has(ROOM, &["0", "1", "2", "3"]);
    stage.kill();
    stage.start();
    for datagram in &datagrams {
        assert_eq!(repeated(&device, datagram).code, "2.04");
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(stage.rooms.bodies_in(ROOM), ["0", "1", "2", "3"]);
}

/// Kills the gateway some milliseconds after each datagram has left, from 0 on; the device repeats it until it has a
/// response.
fn kill_after_each(stage: &mut Stage, first: usize) {
    for (number, milliseconds) in (first..).zip([0, 1, 2, 3, 5, 8, 13, 21, 34, 55]) {
        let mut device = stage.device(1).retransmitting(IMPATIENT);
        let datagram = device.datagram(&numbered(number));
        device.send(&datagram);
        thread::sleep(Duration::from_millis(milliseconds));
        stage.kill();
        stage.start();
        assert_eq!(repeated(&device, &datagram).code, "2.04");
    }
}

#[test]
fn a_datagram_that_is_repeated_over_a_kill_is_one_message() {
    let mut stage = Stage::new("");
    kill_after_each(&mut stage, 0);
    stage.rooms.delay(Duration::from_millis(30));
    kill_after_each(&mut stage, 10);
    stage.rooms.stop();
    kill_after_each(&mut stage, 20);
    stage.rooms.start_again();
    until("all are there", || stage.rooms.bodies().len() >= 30);
    thread::sleep(Duration::from_secs(1));
    let expected: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    assert_eq!(stage.rooms.bodies_in(ROOM), expected);
}
