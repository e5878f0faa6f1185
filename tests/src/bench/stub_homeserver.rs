//! A homeserver that accepts every `/send` after a fixed delay: HTTP/1.1 with keep-alive and nothing else, so that
//! the gateway is what is measured.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Failure;

/// A request above this is cut off: the bench sends a few hundred bytes.
const REQUEST_BOUND: usize = 64 << 10;

static EVENTS: AtomicU64 = AtomicU64::new(0);

/// Serves for as long as the process lives, and announces its address like the gateway does.
///
/// # Errors
/// The system refuses the socket.
pub fn serve(delay: Duration) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            println!("listening on http://{}", listener.local_addr()?);
            loop {
                let (connection, _) = listener.accept().await?;
                tokio::spawn(answer(connection, delay));
            }
        })
}

async fn answer(mut connection: TcpStream, delay: Duration) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut pending = Vec::with_capacity(4096);
    loop {
        while let Some((length, response)) = respond(&pending) {
            pending.drain(..length);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            connection.write_all(response.as_bytes()).await?;
        }
        if pending.len() > REQUEST_BOUND || connection.read_buf(&mut pending).await? == 0 {
            return Ok(());
        }
    }
}

/// The first whole request's length in bytes and the response to it; none while it is incomplete.
fn respond(pending: &[u8]) -> Option<(usize, String)> {
    let head_length = pending.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&pending[..head_length]);
    let body_length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    let length = head_length + body_length;
    if pending.len() < length {
        return None;
    }
    let (status, body) = if head.starts_with("PUT ") && head.contains("/send/") {
        let event = EVENTS.fetch_add(1, Ordering::Relaxed);
        // As long as an event ID of today's room versions: `$` and 43 digits.
        ("200 OK", format!(r#"{{"event_id":"${event:043}"}}"#))
    } else {
        (
            "404 Not Found",
            r#"{"errcode":"M_UNRECOGNIZED","error":"the stub knows /send only"}"#.to_owned(),
        )
    };
    let length_of_body = body.len();
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length_of_body}\r\n\r\n{body}"
    );
    Some((length, response))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_once_it_is_whole() {
        let request = b"PUT /_matrix/client/v3/rooms/r/send/m.room.message/t HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
        assert!(respond(&request[..request.len() - 1]).is_none());
        let (length, response) =
            respond(&[request.as_slice(), b"PUT /next"].concat()).expect("a whole request");
        assert_eq!(length, request.len());
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n") && response.contains(r#"{"event_id":"$0"#)
        );
    }

    #[test]
    fn anything_but_send_is_unrecognized() {
        let (_, response) =
            respond(b"GET /_matrix/client/versions HTTP/1.1\r\n\r\n").expect("a whole request");
        assert!(response.starts_with("HTTP/1.1 404 ") && response.contains("M_UNRECOGNIZED"));
    }
}
