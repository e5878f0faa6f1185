//! One line per exchange, for the operator.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::coap::code::{self, Dotted};

/// Bytes of a log line: what fits a terminal a few times over, and a bound on what one datagram can make the
/// log grow.
pub const MAX_LINE_BYTES: usize = 512;
/// Bytes of a path within it.
const MAX_PATH_BYTES: usize = 160;

/// What is known about an exchange when it ends. Queries, options and payloads are not among it.
#[derive(Debug)]
pub struct Line<'a> {
    /// The device.
    pub peer: SocketAddr,
    /// The request's method code.
    pub method: u8,
    /// Uri-Path, joined by `/`.
    pub path: &'a str,
    /// `CON` or `NON`.
    pub message_type: &'static str,
    /// Content-Formats of request and response, and the request's Accept.
    pub formats: [Option<u32>; 3],
    /// Rule and revision, where one was called.
    pub rule: Option<(&'a str, crate::rule::Digest)>,
    /// The homeserver's last status, or why there was none.
    pub upstream: Option<&'a str>,
    /// The response code.
    pub code: u8,
    /// Bytes of the request on the wire and of the response's payload.
    pub sizes: (usize, usize),
    /// From the whole request to its response.
    pub elapsed: Duration,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "peer={} method={} path=/{} type={}",
            canonical(self.peer),
            method_name(self.method),
            escaped(self.path, MAX_PATH_BYTES),
            self.message_type
        )?;
        for (name, format) in ["cf", "accept", "answer-cf"].iter().zip(self.formats) {
            if let Some(format) = format {
                write!(f, " {name}={format}")?;
            }
        }
        if let Some((name, digest)) = self.rule {
            write!(f, " rule={name}@{digest}")?;
        }
        if let Some(upstream) = self.upstream {
            write!(f, " upstream={upstream}")?;
        }
        let (received, sent) = self.sizes;
        let milliseconds = self.elapsed.as_secs_f64() * 1e3;
        write!(
            f,
            " code={} in={received} out={sent} ms={milliseconds:.1}",
            Dotted(self.code)
        )
    }
}

/// A method as people write it; a code that is none, in digits.
#[must_use]
pub fn method_name(method: u8) -> Cow<'static, str> {
    match method {
        code::GET => "GET".into(),
        code::POST => "POST".into(),
        code::PUT => "PUT".into(),
        code::DELETE => "DELETE".into(),
        code::FETCH => "FETCH".into(),
        code::PATCH => "PATCH".into(),
        code::IPATCH => "iPATCH".into(),
        other => Dotted(other).to_string().into(),
    }
}

/// An IPv4 address that a dual-stack socket shows as IPv6, as IPv4.
#[must_use]
pub fn canonical(peer: SocketAddr) -> SocketAddr {
    match peer.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), peer.port()),
        IpAddr::V6(_) => peer,
    }
}

/// Separates lines, changes the direction of text, or shows as nothing: it could make a line look like another.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Text from outside, fit for one log line: control characters and line separators escaped, cut at `max` bytes.
#[must_use]
pub fn escaped(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max) + 4);
    for character in text.chars() {
        let start = line.len();
        if character.is_control() || is_invisible(character) {
            let _ = write!(line, "{}", character.escape_unicode());
        } else {
            line.push(character);
        }
        if line.len() > max {
            line.truncate(start);
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> String {
        Line {
            peer: "[::ffff:192.0.2.1]:4711".parse().unwrap(),
            method: 3,
            path,
            message_type: "CON",
            formats: [Some(60), None, Some(60)],
            rule: Some(("comatrix", crate::rule::Digest::of(b"abc"))),
            upstream: Some("200"),
            code: 68,
            sizes: (120, 31),
            elapsed: Duration::from_micros(12_340),
        }
        .to_string()
    }

    #[test]
    fn a_line_tells_all_of_an_exchange() {
        assert_eq!(
            line("send"),
            "peer=192.0.2.1:4711 method=PUT path=/send type=CON cf=60 answer-cf=60 \
             rule=comatrix@ba7816bf8f01 upstream=200 code=2.04 in=120 out=31 ms=12.3"
        );
    }

    #[test]
    fn a_line_stays_one_line_and_bounded_whatever_the_path() {
        let line = line(&"\n\u{1b}[31m\u{2028}ü".repeat(1000));
        assert!(line.len() <= MAX_LINE_BYTES, "{}", line.len());
        assert!(!line.contains(['\n', '\u{1b}', '\u{2028}']));
    }
}
