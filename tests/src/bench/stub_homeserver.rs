//! A homeserver that accepts every `/send` after a fixed delay, and passes it to every `/sync` that waits: HTTP/1.1
//! with keep-alive and nothing else, so that only the gateway is measured.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Failure;
use super::rows::send::ROOM;

/// How long a long poll is held.
const HOLD: Duration = Duration::from_secs(30);

/// A request above this is cut off: the bench sends a few hundred bytes.
const REQUEST_BOUND: usize = 64 << 10;

/// How many messages there are, all in one room.
static EVENTS: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

/// Serves for as long as the process lives, and announces its address like the gateway does.
///
/// # Errors
/// The system refuses the socket.
pub fn serve(delay: Duration, port: u16) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            println!("listening on http://{}", listener.local_addr()?);
            loop {
                let (connection, _) = listener.accept().await?;
                tokio::spawn(serve_connection(connection, delay));
            }
        })
}

async fn serve_connection(mut connection: TcpStream, delay: Duration) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut pending = Vec::with_capacity(4096);
    loop {
        while let Some((length, response)) = respond(&pending) {
            pending.drain(..length);
            let response = match response {
                Response::Now(response) => response,
                Response::After(since) => {
                    let mut events = EVENTS.subscribe();
                    let waited = events.wait_for(|count| *count > since);
                    let waited = tokio::time::timeout(HOLD, waited).await;
                    drop(waited);
                    sync(since)
                }
            };
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

/// When a request gets its response.
#[derive(Debug)]
enum Response {
    /// At once.
    Now(String),
    /// A long poll: when there are more messages than these.
    After(u64),
}

/// The first whole request's length in bytes and the response to it; none while it is incomplete.
fn respond(pending: &[u8]) -> Option<(usize, Response)> {
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
    let response = if head.starts_with("PUT ") && head.contains("/send/") {
        let mut event = 0;
        EVENTS.send_modify(|count| {
            event = *count;
            *count += 1;
        });
        // As long as an event ID of today's room versions: `$` and 43 digits.
        json("200 OK", &format!(r#"{{"event_id":"${event:043}"}}"#))
    } else if head.starts_with("GET ") && head.contains("/messages?") {
        // The gateway searches for what the one before it may have sent.
        json("200 OK", r#"{"chunk":[]}"#)
    } else if head.starts_with("POST ") && head.contains("/login ") {
        let login =
            r#"{"user_id":"@bench:example.org","access_token":"syt_bench","device_id":"B"}"#;
        json("200 OK", login)
    } else if head.starts_with("GET ") && head.contains("/whoami ") {
        json("200 OK", r#"{"user_id":"@bench:example.org"}"#)
    } else if head.starts_with("GET /count ") {
        json("200 OK", &EVENTS.borrow().to_string())
    } else if head.starts_with("GET ") && head.contains("/sync?") {
        let target = head.split(' ').nth(1).unwrap_or_default();
        let since = target
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("since=s"));
        match since.and_then(|since| since.parse().ok()) {
            Some(since) => return Some((length, Response::After(since))),
            None => sync(0),
        }
    } else {
        let error = r#"{"errcode":"M_UNRECOGNIZED","error":"the stub knows /send, /sync and searches only"}"#;
        json("404 Not Found", error)
    };
    Some((length, Response::Now(response)))
}

/// The messages after `since`, as a response to `/sync`.
fn sync(since: u64) -> String {
    let count = *EVENTS.borrow();
    let events: Vec<String> = (since..count)
        .map(|event| {
            let content = format!(r#"{{"msgtype":"m.text","body":"message {event}"}}"#);
            let sender = "@bench:example.org";
            format!(
                r#"{{"type":"m.room.message","event_id":"${event:043}","sender":"{sender}","content":{content}}}"#
            )
        })
        .collect();
    let timeline = format!(
        r#"{{"events":[{}],"limited":false,"prev_batch":"p"}}"#,
        events.join(",")
    );
    let body = format!(
        r#"{{"next_batch":"s{count}","rooms":{{"join":{{"{ROOM}":{{"timeline":{timeline}}}}}}}}}"#
    );
    json("200 OK", &body)
}

fn json(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_its_response_once_it_is_whole() {
        let request = b"PUT /_matrix/client/v3/rooms/r/send/m.room.message/t HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
        assert!(respond(&request[..request.len() - 1]).is_none());
        let responded = respond(&[request.as_slice(), b"PUT /next"].concat());
        let Some((length, Response::Now(response))) = responded else {
            panic!("a whole request")
        };
        assert_eq!(length, request.len());
        assert!(
            response.starts_with("HTTP/1.1 200 OK\r\n") && response.contains(r#"{"event_id":"$0"#)
        );
    }

    #[test]
    fn anything_but_send_and_sync_is_unrecognized() {
        let responded = respond(b"GET /_matrix/client/versions HTTP/1.1\r\n\r\n");
        let Some((_, Response::Now(response))) = responded else {
            panic!("a whole request")
        };
        assert!(response.starts_with("HTTP/1.1 404 ") && response.contains("M_UNRECOGNIZED"));
    }
}
