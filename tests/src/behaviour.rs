//! What a stub homeserver does with a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The stub's reaction to a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Responds as a homeserver does.
    Response {
        /// The status.
        status: u16,
        /// Headers besides Content-Length.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Does this, but later.
    Late(Duration, Box<Behaviour>),
    /// Says nothing and keeps the connection.
    Hang,
    /// Sends a good response byte by byte, one every half second.
    Dribble,
    /// Closes the connection without a response.
    Drop,
    /// Closes the connection in the middle of the body.
    HalfResponse,
    /// Sends bytes that are no HTTP.
    NotHttp,
}

impl Behaviour {
    /// A response in JSON.
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Response {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }

    /// This response with one more header.
    pub fn with_header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Response {
                status,
                mut headers,
                body,
            } => {
                headers.push((name, value.to_owned()));
                Self::Response {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }
}

/// Returns whether the connection goes on.
pub(crate) fn act(mut connection: &TcpStream, behaviour: Behaviour) -> std::io::Result<bool> {
    match behaviour {
        Behaviour::Response {
            status,
            headers,
            body,
        } => {
            connection.write_all(&head(status, &headers, body.len()))?;
            connection.write_all(&body)?;
            Ok(true)
        }
        Behaviour::Late(delay, behaviour) => {
            thread::sleep(delay);
            act(connection, *behaviour)
        }
        Behaviour::Hang => {
            // Until the client leaves.
            Ok(connection.read(&mut [0])? > 0)
        }
        Behaviour::Dribble => {
            let body = br#"{"event_id":"$slow"}"#;
            let mut response = head(
                200,
                &[("Content-Type", "application/json".to_owned())],
                body.len(),
            );
            response.extend(body);
            for byte in response {
                connection.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(500));
            }
            Ok(true)
        }
        Behaviour::Drop => Ok(false),
        Behaviour::HalfResponse => {
            connection.write_all(&head(
                200,
                &[("Content-Type", "application/json".to_owned())],
                100,
            ))?;
            connection.write_all(br#"{"event_id":"#)?;
            Ok(false)
        }
        Behaviour::NotHttp => {
            connection.write_all(b"220 mail.example ESMTP\r\n")?;
            Ok(false)
        }
    }
}

fn head(status: u16, headers: &[(&str, String)], length: usize) -> Vec<u8> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes()
}
