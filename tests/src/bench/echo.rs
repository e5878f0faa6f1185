//! The baseline of `/time`: the least that a tokio program can do with a datagram.

use std::net::Ipv4Addr;

use tokio::net::UdpSocket;

use super::Failure;

/// Gives every datagram back, for as long as the process lives. It announces its address like the gateway does.
///
/// # Errors
/// The system refuses the socket, or it fails.
pub fn serve() -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(async {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            println!("listening on udp://{}", socket.local_addr()?);
            let mut buffer = [0; 2048];
            loop {
                // A peer that is gone shows as an error of the next call (ICMP port unreachable); the echo goes on.
                if let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                    let _ = socket.send_to(&buffer[..length], peer).await;
                }
            }
        })
}
