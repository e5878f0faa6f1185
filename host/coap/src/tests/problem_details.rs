//! Errors as problem details (RFC 9290) for clients that ask for them.

use super::*;
use crate::code::*;
use crate::option::{ACCEPT, BLOCK1, CONTENT_FORMAT, LOCATION_PATH};

fn asks(mut datagram: Datagram) -> Datagram {
    datagram.message.push_uint_option(ACCEPT, 257);
    datagram
}

fn is_problem(message: &Message, code: u8) -> bool {
    let end = [&[0x23, 0x18], [code].as_slice()].concat();
    message.code == code
        && message.uint_option(CONTENT_FORMAT) == Some(257)
        && message.payload.starts_with(&[0xa3, 0x20])
        && message.payload.ends_with(&end)
}

#[test]
fn the_callers_errors_and_the_endpoints_own_come_as_problem_details() {
    let mut server = Server::new();
    let error = Message::diagnostic(NOT_FOUND, "nothing here");
    let response = server.exchange(&asks(confirmable(1, GET)), error).message;
    assert!(is_problem(&response, NOT_FOUND), "{response:?}");

    let mut unknown = asks(confirmable(2, GET));
    unknown.message.push_option(65_001, "x");
    assert!(is_problem(
        &server.response_to(&unknown).message,
        BAD_OPTION
    ));

    let mut gap = asks(confirmable(3, PUT));
    gap.message.push_option(BLOCK1, [0x10]);
    let response = server.response_to(&gap).message;
    assert!(is_problem(&response, REQUEST_ENTITY_INCOMPLETE));
}

#[test]
fn a_device_that_does_not_ask_gets_text() {
    let error = Message::diagnostic(NOT_FOUND, "nothing here");
    let response = Server::new().exchange(&confirmable(1, GET), error.clone());
    assert_eq!(response.message, error);
}

#[test]
fn a_success_stays_as_it_is() {
    let response = Server::new().exchange(&asks(confirmable(1, GET)), changed());
    assert_eq!(response.message, changed());
}

#[test]
fn the_error_in_place_of_a_response_that_does_not_fit_comes_as_problem_details_too() {
    let mut server = Server::with_limits(Limits::default());
    server.receive(1, &asks(confirmable(1, GET)));
    let id = server.incoming().id;
    server.respond(id, changed().with_option(LOCATION_PATH, [b'a'; 200]));
    server.advance(Duration::from_secs(1));
    let sent = server.sent();
    let response = sent.iter().find(|sent| sent.message.code != EMPTY);
    let response = &response.expect("a response").message;
    assert!(is_problem(response, SERVICE_UNAVAILABLE), "{response:?}");
}
