//! A message in words: `CON PUT id=0007 token=aa 11="send" 11="kitchen" 12=3c payload="21"`.
//!
//! A value is hex digits, or text in quotation marks. In text, `GATEWAY` stands for its
//! address and port, `PORT` for its port, and `HOMESERVER` for the homeserver's origin.

use std::collections::HashMap;

use coap::{Datagram, Message, MessageType, Token, code};

/// Values that a case has bound: `$name`, and the addresses.
pub type Bound = HashMap<String, Vec<u8>>;

/// The words of a line; a text in quotation marks may have spaces.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            _ => {
                is_quoted ^= letter == '"';
                word.push(letter);
            }
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The bytes of hex digits, with spaces between them and `$name` for bound bytes.
pub fn hex(text: &str, bound: &Bound) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        match word.strip_prefix('$') {
            Some(name) => bytes.extend(value_of(name, bound)),
            None => bytes.extend(crate::aiocoap::bytes(word)),
        }
    }
    bytes
}

fn value_of(name: &str, bound: &Bound) -> Vec<u8> {
    let value = bound.get(name);
    value
        .unwrap_or_else(|| panic!("${name} is not bound"))
        .clone()
}

/// A value: text in quotation marks, a bound name, or hex digits.
pub fn value(text: &str, bound: &Bound) -> Vec<u8> {
    let Some(text) = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    else {
        return hex(text, bound);
    };
    let mut text = text.to_owned();
    for name in ["GATEWAY", "HOMESERVER", "PORT"] {
        if text.contains(name) {
            text = text.replace(name, &String::from_utf8_lossy(&value_of(name, bound)));
        }
    }
    text.into_bytes()
}

/// CON, NON, ACK, RST.
pub fn message_type(word: &str) -> Option<MessageType> {
    Some(match word {
        "CON" => MessageType::Confirmable,
        "NON" => MessageType::NonConfirmable,
        "ACK" => MessageType::Acknowledgement,
        "RST" => MessageType::Reset,
        _ => return None,
    })
}

/// A method by its name, or a code as `2.05`; `empty` is 0.00.
pub fn message_code(word: &str) -> Option<u8> {
    Some(match word {
        "empty" => code::EMPTY,
        "GET" => code::GET,
        "POST" => code::POST,
        "PUT" => code::PUT,
        "DELETE" => code::DELETE,
        _ => {
            let (class, detail) = word.split_once('.')?;
            code::code(class.parse().ok()?, detail.parse().ok()?)
        }
    })
}

/// The datagram of these words.
pub fn datagram(words: &[String], bound: &Bound) -> Vec<u8> {
    let mut datagram = Datagram {
        message_type: MessageType::Confirmable,
        message_id: 0,
        token: Token::default(),
        message: Message::default(),
    };
    for word in words {
        let pair = word.split_once('=');
        match pair.map(|(name, text)| (name, value(text, bound))) {
            Some(("id", id)) => {
                datagram.message_id = id.iter().fold(0, |id, byte| id << 8 | u16::from(*byte))
            }
            Some(("token", token)) => datagram.token = Token::new(&token).expect("at most 8 bytes"),
            Some(("payload", payload)) => datagram.message.payload = payload,
            Some((number, value)) => {
                let number = number
                    .parse()
                    .unwrap_or_else(|_| panic!("{word:?} is no option"));
                datagram.message.push_option(number, value);
            }
            None => match (message_type(word), message_code(word)) {
                (Some(message_type), _) => datagram.message_type = message_type,
                (None, Some(code)) => datagram.message.code = code,
                (None, None) => panic!("{word:?} is neither a type nor a code"),
            },
        }
    }
    coap::encode(&datagram)
}
