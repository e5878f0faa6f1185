//! The output and the exit codes, with a gateway of one thread on the loopback interface.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::plan;
use crate::execute;
use coap::code::{BAD_GATEWAY, CHANGED, CONTENT, UNAUTHORIZED};
use coap::option::{CONTENT_FORMAT, MAX_AGE};
use coap::{Datagram, Message, MessageType, decode, encode};

/// The result of a command.
struct Done {
    exit_code: u8,
    out: String,
    errors: String,
}

/// Responds to one confirmable request after the other; none is a reset.
fn gateway(responses: Vec<Option<Message>>) -> (u16, JoinHandle<()>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("set");
    let port = socket.local_addr().expect("bound").port();
    let thread = thread::spawn(move || {
        let mut buffer = [0; 2048];
        for response in responses {
            let (length, peer) = socket.recv_from(&mut buffer).expect("a request");
            let Datagram {
                message_id, token, ..
            } = decode(&buffer[..length]).expect("a valid request");
            let datagram = match response {
                Some(message) => Datagram {
                    message_type: MessageType::Acknowledgement,
                    message_id,
                    token,
                    message,
                },
                None => Datagram::empty(MessageType::Reset, message_id),
            };
            socket.send_to(&encode(&datagram), peer).expect("sent");
        }
    });
    (port, thread)
}

/// Runs a command line with these responses.
fn run(line: &str, responses: Vec<Option<Message>>) -> Done {
    let (port, gateway) = gateway(responses);
    let line = format!("--gateway coap://127.0.0.1:{port} --timeout 5 --interval 0 {line}");
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let mut plan = plan(&line, true).expect("a plan");
    let exit_code = execute(&mut plan, &mut out, &mut errors).expect("carried out");
    gateway
        .join()
        .expect("the gateway got as many requests as planned");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Done {
        exit_code,
        out: text(out),
        errors: text(errors),
    }
}

fn token_response() -> Option<Message> {
    let response = Message::new(CHANGED).with_uint_option(CONTENT_FORMAT, 60);
    Some(response.with_payload(b"\xa1\x6caccess_token\x6asyt_secret".as_slice()))
}

fn time_response() -> Option<Message> {
    Some(
        Message::new(CONTENT)
            .with_uint_option(CONTENT_FORMAT, 0)
            .with_uint_option(MAX_AGE, 0)
            .with_payload("1795000000"),
    )
}

#[test]
fn text_output_has_request_response_and_sizes() {
    let done = run("time", vec![time_response()]);
    assert_eq!((done.exit_code, done.errors.as_str()), (0, ""));
    for part in [
        "-> GET /time  CON  coap://127.0.0.1:",
        "<- 2.05 Content",
        "Max-Age (14): 0",
        "payload, 10 bytes: 1795000000",
        "13 bytes sent in 1 datagram, ",
        " 0 retransmissions",
    ] {
        assert!(
            done.out.contains(part),
            "{part:?} is missing in\n{}",
            done.out
        );
    }
}

#[test]
fn neither_password_nor_tokens_are_printed_except_the_new_token_on_request() {
    for format in ["", " --json"] {
        let done = run(
            &format!("login --user ann --homeserver http://h{format}"),
            vec![token_response()],
        );
        assert_eq!(done.exit_code, 0);
        // 7077 is the password in hexadecimal, 7379745f the token's start.
        for secret in ["\"pw\"", "627077", "syt_secret", "7379745f"] {
            assert!(!done.out.contains(secret), "{secret} is in\n{}", done.out);
        }
        assert!(done.out.contains("<hidden, 2 bytes>") && done.out.contains("<hidden, 10 bytes>"));
        let asked = run(
            &format!("login --user ann --show-token{format}"),
            vec![token_response()],
        );
        assert!(
            asked.out.contains("syt_secret") && !asked.out.contains("\"pw\""),
            "{}",
            asked.out
        );
    }
}

#[test]
fn a_response_that_repeats_the_request_s_token_is_printed_without_it() {
    for format in ["", " --json"] {
        let echo = Message::new(UNAUTHORIZED).with_payload("unknown: tok");
        let done = run(&format!("join !r:h{format}"), vec![Some(echo)]);
        assert_eq!(done.exit_code, 4);
        assert!(
            done.out.contains("unknown: <hidden, 3 bytes>"),
            "{}",
            done.out
        );
        assert!(done.out.contains("device login"), "the hint has the remedy");
    }
}

#[test]
fn the_token_of_a_login_is_saved_and_a_failed_login_leaves_no_file() {
    let path = std::env::temp_dir().join(format!("comatrix-device-{}", std::process::id()));
    let line = format!("login --user ann --save-token {}", path.display());
    let failed = run(&line, vec![Some(Message::new(UNAUTHORIZED))]);
    assert_eq!((failed.exit_code, path.exists()), (4, false));
    let done = run(&line, vec![token_response()]);
    assert_eq!(done.exit_code, 0);
    assert_eq!(
        std::fs::read_to_string(&path).expect("saved"),
        "syt_secret\n"
    );
    std::fs::remove_file(&path).expect("removed");
    let without = run(&line, vec![Some(Message::new(CHANGED))]);
    assert_eq!((without.exit_code, path.exists()), (7, false));
    assert!(without.errors.contains("no access token"));
}

#[test]
fn json_is_one_object_per_exchange_and_the_exit_code_is_the_highest() {
    let bad_gateway = Some(Message::new(BAD_GATEWAY).with_payload("no homeserver"));
    let done = run(
        "time --repeat 3 --json",
        vec![time_response(), bad_gateway, time_response()],
    );
    assert_eq!(done.exit_code, 5);
    let lines: Vec<serde_json::Value> = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let codes: Vec<_> = lines
        .iter()
        .map(|line| line["response"]["code"].as_str().expect("a code"))
        .collect();
    assert_eq!(codes, ["2.05", "5.02", "2.05"]);
    assert_eq!(lines[0]["response"]["payload"], "1795000000");
    assert_eq!(lines[0]["request"]["path"], "/time");
    assert_eq!(lines[0]["sent"]["bytes"], 13);
    assert_eq!(lines[2]["exchange"], 3);
}

#[test]
fn a_reset_ends_with_7_and_a_closed_port_with_6_and_both_print_a_remedy() {
    let reset = run("time", vec![None]);
    assert_eq!(reset.exit_code, 7);
    assert!(
        reset.out.contains("reset") && reset.out.contains("hint:"),
        "{}",
        reset.out
    );
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|socket| socket.local_addr())
        .expect("a port");
    for format in ["", " --json"] {
        let mut plan =
            plan(&format!("time --gateway coap://{closed}{format}"), false).expect("a plan");
        let mut out = Vec::new();
        assert_eq!(
            execute(&mut plan, &mut out, &mut Vec::new()).expect("carried out"),
            6
        );
        let out = String::from_utf8(out).expect("UTF-8");
        assert!(
            out.contains("nothing listens") && out.contains("start the gateway"),
            "{out}"
        );
    }
}

#[test]
fn a_silent_gateway_ends_with_6_after_the_timeout() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = silent.local_addr().expect("bound");
    let mut plan = plan(
        &format!("time --timeout 0.2 --gateway coap://{address}"),
        false,
    )
    .expect("a plan");
    let mut out = Vec::new();
    assert_eq!(
        execute(&mut plan, &mut out, &mut Vec::new()).expect("carried out"),
        6
    );
    assert!(String::from_utf8(out).expect("UTF-8").contains("firewall"));
}
