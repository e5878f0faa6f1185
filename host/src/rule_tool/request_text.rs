//! Reads a device's request from one line: `PUT /send/!r:h cf=60 payload={"msgtype": "m.text", "body": "hi"}`.

use super::error::ToolError;
use coap::option::{ACCEPT, CONTENT_FORMAT, OBSERVE, URI_PATH, URI_QUERY, content_format};
use coap::{Message, code};
use contract::Target;
use contract::escaping::escaped;
use contract::path_segment::{decoded, is_plain};
use gateway::request::proxy_uri;

/// Bytes of a payload: a gateway's default limit of a request body.
const MAX_PAYLOAD: usize = 128 << 10;

/// Reads the text of `--request`.
pub(super) fn request(text: &str) -> Result<Message, ToolError> {
    parse(text).map_err(ToolError::Request)
}

/// Reads the text of `--proxy-uri` with the gateway's parser.
pub(super) fn proxy_target(text: &str) -> Result<Target, ToolError> {
    if !text.starts_with('/') {
        return Err(ToolError::ProxyUri("it does not start with /".into()));
    }
    let uri = format!("http://homeserver{text}");
    proxy_uri::parse(uri.as_bytes())
        .map(|parsed| parsed.target)
        .map_err(|refusal| ToolError::ProxyUri(refusal.to_string()))
}

fn parse(text: &str) -> Result<Message, String> {
    let (method, rest) = word(text);
    let (target, mut rest) = word(rest);
    let mut message = Message::new(method_code(method)?);
    add_target(&mut message, target)?;
    let mut payload = None;
    while !rest.is_empty() {
        let (field, after) = word(rest);
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| format!("\"{}\" is not NAME=VALUE", escaped(field, 60)))?;
        match name {
            "cf" => message.set_uint_option(CONTENT_FORMAT, format(value)?),
            "accept" => message.set_uint_option(ACCEPT, format(value)?),
            // 0 registers (RFC 7641 §2); a rule gets no other value of the option.
            "observe" if value == "0" => message.set_uint_option(OBSERVE, 0),
            // It may have spaces, so it is the last field.
            "payload" => {
                payload = Some(&rest["payload=".len()..]);
                break;
            }
            _ => return Err(format!("\"{}\" is not a field", escaped(name, 60))),
        }
        rest = after;
    }
    if let Some(payload) = payload {
        message.payload = bytes(payload, message.uint_option(CONTENT_FORMAT))?;
    }
    Ok(message)
}

/// The next word, and the text after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn method_code(name: &str) -> Result<u8, String> {
    Ok(match name {
        "GET" => code::GET,
        "POST" => code::POST,
        "PUT" => code::PUT,
        "DELETE" => code::DELETE,
        "FETCH" => code::FETCH,
        "PATCH" => code::PATCH,
        "iPATCH" => code::IPATCH,
        _ => {
            return Err(format!(
                "\"{}\" is not a method; use GET, POST, PUT, DELETE, FETCH, PATCH or iPATCH",
                escaped(name, 60)
            ));
        }
    })
}

fn format(value: &str) -> Result<u32, String> {
    let number: Result<u16, _> = value.parse();
    number.map(u32::from).map_err(|_| {
        format!(
            "\"{}\" is not a Content-Format; use its number, for example 60 for CBOR",
            escaped(value, 60)
        )
    })
}

fn add_target(message: &mut Message, target: &str) -> Result<(), String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path
        .strip_prefix('/')
        .ok_or("the path does not start with /")?;
    let undecodable = "a % is not followed by two hexadecimal digits of UTF-8; write % as %25";
    for segment in path.split('/').filter(|_| !path.is_empty()) {
        let segment = decoded(segment).ok_or(undecodable)?;
        if !is_plain(&segment) {
            return Err("a path segment is empty, '.', '..', or has control characters".into());
        }
        message.push_option(URI_PATH, segment);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        message.push_option(URI_QUERY, decoded(pair).ok_or(undecodable)?);
    }
    Ok(())
}

/// The bytes of a payload. The text is literal for JSON and text; otherwise it is hexadecimal, JSON (sent as CBOR) or,
/// without a Content-Format, literal.
fn bytes(text: &str, format: Option<u32>) -> Result<Vec<u8>, String> {
    let is = |number: u16| format == Some(number.into());
    let bytes = if is(content_format::JSON) || is(content_format::TEXT) {
        text.as_bytes().to_vec()
    } else if let Some(bytes) = hexadecimal(text) {
        bytes
    } else if format.is_none() && !is_structure(text) {
        text.as_bytes().to_vec()
    } else {
        cbor(text)?
    };
    match bytes.len() > MAX_PAYLOAD {
        true => Err(format!("the payload has more than {MAX_PAYLOAD} bytes")),
        false => Ok(bytes),
    }
}

fn is_structure(text: &str) -> bool {
    text.starts_with(['{', '['])
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let byte = |pair: &[u8]| {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
    };
    pairs.map(byte).collect()
}

fn cbor(text: &str) -> Result<Vec<u8>, String> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| format!("the payload is neither hexadecimal nor JSON: {error}"))?;
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes)
        .map_err(|error| format!("the payload has no CBOR form: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Message {
        request(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_request_has_method_path_query_and_options() {
        let message = read("PUT /send/!r:h/a%2Fb?x=1&y accept=50 cf=60");
        let expected = Message::new(code::PUT)
            .with_option(URI_PATH, "send")
            .with_option(URI_PATH, "!r:h")
            .with_option(URI_PATH, "a/b")
            .with_uint_option(CONTENT_FORMAT, 60)
            .with_option(URI_QUERY, "x=1")
            .with_option(URI_QUERY, "y")
            .with_uint_option(ACCEPT, 50);
        assert_eq!(message, expected);
        assert_eq!(read("GET /").options, []);
    }

    #[test]
    fn a_payload_is_hexadecimal_json_or_text() {
        for (text, payload) in [
            ("cf=60 payload=a1 61 61 01", &b"\xa1\x61a\x01"[..]),
            ("cf=60 payload={\"a\": 1}", b"\xa1\x61a\x01"),
            ("cf=112 payload=[21.5]", b"\x81\xf9\x4d\x60"),
            ("cf=50 payload={\"a\": 1}", b"{\"a\": 1}"),
            ("cf=50 payload=21", b"21"),
            ("cf=0 payload=a b", b"a b"),
            ("payload=on", b"on"),
            ("payload=", b""),
        ] {
            assert_eq!(read(&format!("POST /x {text}")).payload, payload, "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_request_is_refused_with_the_remedy() {
        for (text, remedy) in [
            ("", "is not a method"),
            ("put /x", "use GET"),
            ("PUT x", "start with /"),
            ("PUT /a//b", "segment"),
            ("PUT /a%4", "%25"),
            ("PUT /a cbor", "NAME=VALUE"),
            ("PUT /a cf=cbor", "60 for CBOR"),
            ("PUT /a cf=70000", "60 for CBOR"),
            ("PUT /a token=x", "\"token\" is not a field"),
            ("PUT /a cf=60 payload={", "neither hexadecimal nor JSON"),
        ] {
            let error = request(text).unwrap_err().to_string();
            assert!(
                error.contains(remedy) && error.contains("METHOD PATH"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_proxy_target_is_read_as_by_the_gateway() {
        let target = proxy_target("/9/!r%3Ah?dir=b").unwrap();
        assert_eq!(target.path, ["9", "!r:h"]);
        assert_eq!(target.query, [("dir".to_owned(), "b".to_owned())]);
        for wrong in ["9/x", "/a/../b", "/#a:h"] {
            let error = proxy_target(wrong).unwrap_err().to_string();
            assert!(error.contains("--proxy-uri"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(GET|PUT )?[/a%?&= é]{0,20}(cf=[0-9]{1,3} )?(payload=)?\\PC{0,10}") {
            let _ = request(&text);
        }
    }
}
