//! The display of options: by name, in the format that their registry defines, without secrets.

use super::notation::{hex, printable};
use super::redaction::{Redaction, hidden};
use coap::CoapOption;
use coap::block::Block;
use coap::message::decode_uint;
use coap::option::*;

/// One option for people and for scripts.
#[derive(Debug)]
pub struct OptionView {
    /// Its number (RFC 7252 §5.4).
    pub number: u16,
    /// Its name in the registry.
    pub name: &'static str,
    /// On one line, safe for a terminal.
    pub text: String,
    /// The same for scripts.
    pub json: serde_json::Value,
}

/// The view of an option.
pub fn view(option: &CoapOption, redaction: &Redaction<'_>) -> OptionView {
    let (name, form) = registered(option.number);
    let value = option.value.as_slice();
    let bytes = || redaction.hex(value, None);
    let json: serde_json::Value = match form {
        Form::Text => match std::str::from_utf8(value) {
            Ok(text) => redaction.text(text).into(),
            Err(_) => bytes().into(),
        },
        Form::Uint => decode_uint(value).map_or_else(|| bytes().into(), Into::into),
        Form::Block => match Block::decode(value) {
            Ok(block) => {
                format!("{}/{}/{}", block.number, u8::from(block.more), block.size()).into()
            }
            Err(_) => hex(value).into(),
        },
        Form::Opaque => bytes().into(),
        Form::Secret => hidden(value.len()).into(),
    };
    let shown = match &json {
        serde_json::Value::String(text) => printable(text),
        other => other.to_string(),
    };
    let meaning = match option.number {
        CONTENT_FORMAT | ACCEPT => decode_uint(value).and_then(format_name),
        _ => None,
    };
    let text = meaning.map_or_else(|| shown.clone(), |meaning| format!("{shown} ({meaning})"));
    OptionView {
        number: option.number,
        name,
        text,
        json,
    }
}

enum Form {
    Text,
    Uint,
    /// Number, more flag and size, as RFC 7959 §3 writes them.
    Block,
    Opaque,
    Secret,
}

fn registered(number: u16) -> (&'static str, Form) {
    match number {
        IF_MATCH => ("If-Match", Form::Opaque),
        URI_HOST => ("Uri-Host", Form::Text),
        ETAG => ("ETag", Form::Opaque),
        IF_NONE_MATCH => ("If-None-Match", Form::Opaque),
        OBSERVE => ("Observe", Form::Uint),
        URI_PORT => ("Uri-Port", Form::Uint),
        LOCATION_PATH => ("Location-Path", Form::Text),
        URI_PATH => ("Uri-Path", Form::Text),
        CONTENT_FORMAT => ("Content-Format", Form::Uint),
        MAX_AGE => ("Max-Age", Form::Uint),
        URI_QUERY => ("Uri-Query", Form::Text),
        HOP_LIMIT => ("Hop-Limit", Form::Uint),
        ACCEPT => ("Accept", Form::Uint),
        LOCATION_QUERY => ("Location-Query", Form::Text),
        BLOCK2 => ("Block2", Form::Block),
        BLOCK1 => ("Block1", Form::Block),
        SIZE2 => ("Size2", Form::Uint),
        PROXY_URI => ("Proxy-Uri", Form::Text),
        PROXY_SCHEME => ("Proxy-Scheme", Form::Text),
        SIZE1 => ("Size1", Form::Uint),
        ECHO => ("Echo", Form::Opaque),
        ACCESS_TOKEN => ("Access-Token", Form::Secret),
        NO_RESPONSE => ("No-Response", Form::Uint),
        REQUEST_TAG => ("Request-Tag", Form::Opaque),
        _ => ("Option", Form::Opaque),
    }
}

fn format_name(number: u32) -> Option<&'static str> {
    Some(match u16::try_from(number).ok()? {
        content_format::TEXT => "text/plain",
        content_format::LINK_FORMAT => "application/link-format",
        content_format::JSON => "application/json",
        content_format::CBOR => "application/cbor",
        content_format::PROBLEM_DETAILS => "application/concise-problem-details+cbor",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: u16, value: &[u8]) -> String {
        let option = CoapOption {
            number,
            value: value.to_vec(),
        };
        let view = view(&option, &Redaction::by_name());
        format!("{}: {}", view.name, view.text)
    }

    #[test]
    fn each_option_is_shown_in_the_form_of_its_registry() {
        assert_eq!(
            shown(CONTENT_FORMAT, &[60]),
            "Content-Format: 60 (application/cbor)"
        );
        assert_eq!(shown(MAX_AGE, &[]), "Max-Age: 0");
        assert_eq!(shown(BLOCK1, &[0x1b]), "Block1: 1/1/128");
        assert_eq!(shown(ETAG, &[0xab, 1]), "ETag: ab01");
        assert_eq!(shown(PROXY_URI, b"http://h/4"), "Proxy-Uri: http://h/4");
        assert_eq!(shown(PROXY_URI, b"\x1b]0;"), r"Proxy-Uri: \u{1b}]0;");
        assert_eq!(shown(MAX_AGE, b"12345"), "Max-Age: 3132333435");
        assert_eq!(shown(65_000, b"a"), "Option: 61");
    }

    #[test]
    fn an_access_token_is_never_shown() {
        assert_eq!(
            shown(ACCESS_TOKEN, b"syt_secret"),
            "Access-Token: <hidden, 10 bytes>"
        );
    }
}
