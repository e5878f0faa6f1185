use std::future::poll_fn;
use std::net::UdpSocket;
use std::time::Duration;

use tokio::time::timeout;

use super::{BATCH, UdpTransport};

/// Receives until the socket has no more; the numbers in the datagrams.
async fn received(transport: &mut UdpTransport) -> Vec<u8> {
    let mut numbers = Vec::new();
    poll_fn(|context| transport.poll_readable(context))
        .await
        .expect("it is readable");
    while transport
        .receive(|_, _, datagram| numbers.extend(datagram))
        .expect("it receives")
    {}
    numbers
}

#[tokio::test]
async fn bursts_of_any_size_arrive_whole_and_so_does_what_comes_after_them() {
    let loopback = "127.0.0.1:0".parse().expect("it is an address");
    let mut transport = UdpTransport::bind(loopback).unwrap_or_else(|error| panic!("{error}"));
    let device = UdpSocket::bind(loopback).expect("a free port");
    device
        .connect(transport.local_addr().expect("it is bound"))
        .expect("it is there");
    let batch = BATCH as u8;
    for count in [1, 2, batch - 1, batch, batch + 1, 3 * batch, 1] {
        for number in 0..count {
            device.send(&[number]).expect("it is sent");
        }
        let mut numbers = Vec::new();
        while numbers.len() < usize::from(count) {
            let more = timeout(Duration::from_secs(5), received(&mut transport)).await;
            numbers.extend(more.expect("nothing is left in the socket"));
        }
        assert_eq!(numbers, (0..count).collect::<Vec<u8>>());
    }
}
