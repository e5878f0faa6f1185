//! A device finds the gateway by the groups of "All CoAP Nodes" (RFC 7252 §8.2, §12.8).

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use comatrix_tests::gateway::{self, Gateway};
use comatrix_tests::places::{self, Scratch};
use comatrix_tests::raw::confirmable;

fn bytes(packet: &Packet) -> Vec<u8> {
    packet.to_bytes().expect("it fits")
}

/// Sends to the group of IPv4 over the loopback interface.
fn ask_the_group(port: u16, packet: &Packet) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let group: SocketAddr = (Ipv4Addr::new(224, 0, 1, 187), port).into();
    socket
        .send_to(&bytes(packet), group)
        .expect("loopback takes multicast");
    socket
}

fn response_on(socket: &UdpSocket, limit: Duration) -> Option<(Packet, SocketAddr)> {
    socket
        .set_read_timeout(Some(limit))
        .expect("it is not zero");
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).ok()?;
    Some((
        Packet::from_bytes(&buffer[..length]).expect("a message"),
        from,
    ))
}

#[test]
fn a_request_to_the_group_finds_the_gateway_and_errors_are_not_sent() {
    let scratch = Scratch::new("multicast");
    let file = scratch.write(
        "gateway.toml",
        "[coap]\nmulticast = true\nmulticast_interfaces = [\"lo\"]",
    );
    let gateway = Gateway::start(&["--config", &file.display().to_string(), "-i", "::"]);
    let port = gateway.address.port();
    let mut discovery = confirmable(RequestType::Get, "/.well-known/core", 1, b"m");
    discovery.header.set_type(MessageType::NonConfirmable);
    let mut unknown = confirmable(RequestType::Get, "/nothing", 2, b"m");
    unknown.header.set_type(MessageType::NonConfirmable);
    let mut none = confirmable(RequestType::Get, "/.well-known/core", 3, b"m");
    none.header.set_type(MessageType::NonConfirmable);
    none.add_option(CoapOption::UriQuery, b"rt=no-such-type".to_vec());
    let time = confirmable(RequestType::Get, "/time", 4, b"t");
    let silent = [unknown, none, time].map(|packet| ask_the_group(port, &packet));
    let asked = ask_the_group(port, &discovery);
    let leisure = Duration::from_secs(6);
    let (response, from) =
        response_on(&asked, leisure).expect("a response comes within the leisure");
    assert_eq!(response.header.get_type(), MessageType::NonConfirmable);
    assert_eq!(response.get_token(), b"m");
    assert!(response.payload.starts_with(b"</"));
    assert_eq!(from, (Ipv4Addr::LOCALHOST, port).into());
    std::thread::sleep(leisure);
    for socket in silent {
        assert_eq!(response_on(&socket, Duration::from_millis(1)), None);
    }
}

#[test]
fn the_groups_of_ipv6_respond_from_the_address_of_the_link() {
    let scratch = Scratch::new("multicast6");
    let file = scratch.write(
        "gateway.toml",
        "[coap]\nmulticast = true\nmulticast_interfaces = [\"mesh\"]",
    );
    let output = Command::new("unshare")
        .args(["--net", "--map-root-user"])
        .arg(places::python())
        .arg(places::client_program("multicast6.py"))
        .args([gateway::binary(), file, scratch.path().join("state")])
        .output()
        .expect("util-linux is installed");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    let groups: Vec<_> = printed.lines().map(|line| line.split(' ')).collect();
    assert_eq!(groups.len(), 2, "{printed}");
    for (mut words, group) in groups.into_iter().zip(["ff02::fd", "ff05::fd"]) {
        assert_eq!((words.next(), words.next()), (Some(group), Some("fe80::1")));
        let hex = words.next().expect("a response").as_bytes();
        let digits = hex
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        let response: Result<Vec<u8>, _> =
            digits.map(|pair| u8::from_str_radix(pair, 16)).collect();
        let response = Packet::from_bytes(&response.expect("hexadecimal")).expect("a message");
        assert_eq!(
            response.header.code,
            MessageClass::Response(ResponseType::Content)
        );
        assert!(response.payload.starts_with(b"</"));
    }
}
