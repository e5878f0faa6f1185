//! One log line per request, for the operator.

use std::fmt;
use std::time::Duration;

use coap::code::{Dotted, method_name};
use contract::Peer;
use contract::escaping::escaped;

/// Bytes of a log line: a few lines of a terminal. It bounds how much one datagram can make the log grow.
pub const MAX_LINE_BYTES: usize = 512;
/// Bytes of the path in a line.
const MAX_PATH_BYTES: usize = 160;

/// A completed request. Queries, options and payloads are left out.
#[derive(Debug)]
pub struct Line<'a> {
    /// The device.
    pub peer: &'a Peer,
    /// The request's method code.
    pub method: u8,
    /// Uri-Path, joined by `/`.
    pub path: &'a str,
    /// `CON` or `NON`.
    pub message_type: &'static str,
    /// Content-Formats of request and response, and the request's Accept.
    pub formats: [Option<u32>; 3],
    /// Rule and revision, if one was called.
    pub rule: Option<(&'a str, contract::Digest)>,
    /// The homeserver's last status, or the reason why there was no response.
    pub upstream: Option<&'a str>,
    /// The response code.
    pub code: u8,
    /// Bytes of the request on the wire and of the response's payload.
    pub sizes: (usize, usize),
    /// From the complete request to its response.
    pub elapsed: Duration,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "peer={} method={} path=/{} type={}",
            self.peer,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> String {
        Line {
            peer: &Peer::unauthenticated("[::ffff:192.0.2.1]:4711".parse().unwrap()),
            method: 3,
            path,
            message_type: "CON",
            formats: [Some(60), None, Some(60)],
            rule: Some(("comatrix", contract::Digest::of(b"abc"))),
            upstream: Some("200"),
            code: 68,
            sizes: (120, 31),
            elapsed: Duration::from_micros(12_340),
        }
        .to_string()
    }

    #[test]
    fn a_line_has_all_facts_of_a_request() {
        assert_eq!(
            line("send"),
            "peer=192.0.2.1:4711 method=PUT path=/send type=CON cf=60 answer-cf=60 rule=comatrix@ba7816bf8f01 \
             upstream=200 code=2.04 in=120 out=31 ms=12.3"
        );
    }

    #[test]
    fn any_path_makes_one_line_of_bounded_length() {
        let line = line(&"\n\u{1b}[31m\u{2028}ü".repeat(1000));
        assert!(line.len() <= MAX_LINE_BYTES, "{}", line.len());
        assert!(!line.contains(['\n', '\u{1b}', '\u{2028}']));
    }
}
