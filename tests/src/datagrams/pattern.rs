//! What a case expects of a datagram: `ACK 2.05 id=0007 token=aa 12=3c !23 14= payload<=64 first64~"kitchen"`.
//!
//! | word | meaning |
//! | --- | --- |
//! | `CON`, `NON`, `ACK`, `RST` | the type |
//! | `2.05`, `empty` | the code |
//! | `id=`, `token=`, `N=`, `payload=` | the value: hex digits, or text in quotation marks; `*`: any |
//! | `4=$name` | bound by its first use, equal afterwards |
//! | `!N` | no option N; `!>60`: no option above 60 |
//! | `6<=2` | at most so many bytes of the option's value; also `payload<=`, `datagram<=`, `payload>=` |
//! | `payload~"…"`, `first64~"…"` | the payload, or its first 64 bytes, contains the text |

use coap::Datagram;

use super::words::{Bound, message_code, message_type, value};

/// Whether the datagram is as these words say; else the first word that is wrong.
pub fn check(
    words: &[String],
    bytes: &[u8],
    datagram: &Datagram,
    bound: &mut Bound,
) -> Result<(), String> {
    for word in words {
        if !holds(word, bytes, datagram, bound) {
            return Err(word.clone());
        }
    }
    Ok(())
}

fn holds(word: &str, bytes: &[u8], datagram: &Datagram, bound: &mut Bound) -> bool {
    let message = &datagram.message;
    if let Some(above) = word.strip_prefix("!>") {
        let above: u16 = above.parse().unwrap_or_else(|_| panic!("{word:?}"));
        return message.options.iter().all(|option| option.number <= above);
    }
    if let Some(number) = word.strip_prefix('!') {
        let number = number.parse().unwrap_or_else(|_| panic!("{word:?}"));
        return message.option(number).is_none();
    }
    if let Some((name, most)) = word.split_once("<=") {
        let most: usize = most.parse().unwrap_or_else(|_| panic!("{word:?}"));
        return match name {
            "datagram" => bytes.len() <= most,
            _ => part(name, datagram).is_some_and(|value| value.len() <= most),
        };
    }
    if let Some(least) = word.strip_prefix("payload>=") {
        let least: usize = least.parse().unwrap_or_else(|_| panic!("{word:?}"));
        return message.payload.len() >= least;
    }
    if let Some((name, text)) = word.split_once('~') {
        let text = value(text, bound);
        let payload = match name {
            "first64" => message.payload.get(..64).unwrap_or(&message.payload),
            _ => &message.payload,
        };
        return payload.windows(text.len()).any(|window| window == text);
    }
    match word.split_once('=') {
        Some((name, "*")) => part(name, datagram).is_some(),
        Some((name, text)) => {
            let Some(found) = part(name, datagram) else {
                return false;
            };
            if let Some(name) = text.strip_prefix('$') {
                return *bound
                    .entry(name.to_owned())
                    .or_insert_with(|| found.clone())
                    == found;
            }
            found == value(text, bound)
        }
        None => {
            message_type(word) == Some(datagram.message_type)
                || (message_type(word).is_none() && message_code(word) == Some(message.code))
        }
    }
}

/// A part of the datagram by its name.
fn part(name: &str, datagram: &Datagram) -> Option<Vec<u8>> {
    match name {
        "id" => Some(datagram.message_id.to_be_bytes().to_vec()),
        "token" => Some(datagram.token.as_bytes().to_vec()),
        "payload" => Some(datagram.message.payload.clone()),
        number => {
            let number = number
                .parse()
                .unwrap_or_else(|_| panic!("{name:?} is no option"));
            datagram.message.option(number).map(<[u8]>::to_vec)
        }
    }
}
