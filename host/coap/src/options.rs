//! The options that a server understands in a request (RFC 7252 §5.4). Others are refused or ignored here, so the rest
//! of the crate reads no option of the wrong length.

use crate::message::{CoapOption, Message};
use crate::option::*;

/// The number of a critical option that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leave out or correct critical option {0}")]
pub struct BadOption(pub u16);

/// Lengths in bytes and repeatability of an option in requests (RFC 7252 table 4, RFC 7641 §2, RFC 7959 §2.1,
/// RFC 7967 §2, RFC 8768 §3, RFC 9175 §2.2 and §3.2). None if it is not understood.
fn format(number: u16) -> Option<(usize, usize, bool)> {
    Some(match number {
        IF_MATCH => (0, 8, true),
        URI_HOST => (1, 255, false),
        ETAG => (1, 8, true),
        IF_NONE_MATCH => (0, 0, false),
        OBSERVE => (0, 3, false),
        URI_PORT => (0, 2, false),
        URI_PATH => (0, 255, true),
        CONTENT_FORMAT => (0, 2, false),
        MAX_AGE => (0, 4, false),
        URI_QUERY => (0, 255, true),
        // Any length: the caller refuses 0 and values above 255 (RFC 8768 §3).
        HOP_LIMIT => (0, usize::MAX, false),
        ACCEPT => (0, 2, false),
        BLOCK2 | BLOCK1 => (0, 3, false),
        SIZE2 | SIZE1 => (0, 4, false),
        PROXY_URI => (1, 1034, false),
        PROXY_SCHEME => (1, 255, false),
        ECHO => (1, 40, false),
        // Any length: the caller must refuse a token that is too long. If it were ignored here, the request would be
        // processed under another identity.
        ACCESS_TOKEN => (0, usize::MAX, false),
        NO_RESPONSE => (0, 1, false),
        REQUEST_TAG => (0, 8, true),
        _ => return None,
    })
}

/// Whether an option has a valid length and is not repeated if it must not be; none if it is not understood.
fn well_formed(option: &CoapOption, previous: Option<u16>) -> Option<bool> {
    let (least, most, repeatable) = format(option.number)?;
    let surplus = previous == Some(option.number) && !repeatable;
    Some((least..=most).contains(&option.value.len()) && !surplus)
}

/// Removes elective options of the wrong length, and surplus repeats (RFC 7252 §5.4.3, §5.4.5). Elective options that
/// are not understood stay: the caller may understand them.
///
/// # Errors
/// [`BadOption`] for the first critical option that neither this crate nor its caller (`known`) understands, of the
/// wrong length, or a surplus repeat.
pub fn recognise(request: &mut Message, known: &[u16]) -> Result<(), BadOption> {
    let mut previous = None;
    let mut malformed = false;
    for option in &request.options {
        match well_formed(option, previous.replace(option.number)) {
            Some(true) => {}
            None if known.contains(&option.number) => {}
            _ if is_critical(option.number) => return Err(BadOption(option.number)),
            Some(false) => malformed = true,
            None => {}
        }
    }
    if malformed {
        let mut previous = None;
        request
            .options
            .retain(|option| well_formed(option, previous.replace(option.number)) != Some(false));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::GET;

    #[test]
    fn critical_options_that_are_unknown_repeated_or_of_the_wrong_length_are_named() {
        let cases: [(&[(u16, usize)], u16); 6] = [
            (&[(9, 1)], 9),
            (&[(URI_PATH, 4), (65_001, 0)], 65_001),
            (&[(URI_PATH, 256)], URI_PATH),
            (&[(ACCEPT, 3)], ACCEPT),
            (&[(PROXY_URI, 9), (PROXY_URI, 9)], PROXY_URI),
            (&[(IF_NONE_MATCH, 1)], IF_NONE_MATCH),
        ];
        for (options, number) in cases {
            let mut request = Message::new(GET);
            for (number, length) in options {
                request.push_option(*number, vec![b'a'; *length]);
            }
            assert_eq!(recognise(&mut request, &[]), Err(BadOption(number)));
        }
    }

    #[test]
    fn malformed_elective_options_are_removed_and_unknown_ones_are_left() {
        let mut request = Message::new(GET)
            .with_option(CONTENT_FORMAT, "too long")
            .with_option(ACCESS_TOKEN, "first")
            .with_option(ACCESS_TOKEN, "second")
            .with_option(SIZE1, "12345")
            .with_option(65_000, "unknown");
        assert_eq!(recognise(&mut request, &[]), Ok(()));
        let left: Vec<u16> = request.options.iter().map(|option| option.number).collect();
        assert_eq!(left, [ACCESS_TOKEN, 65_000]);
        assert_eq!(request.option(ACCESS_TOKEN), Some(b"first".as_slice()));
    }

    #[test]
    fn a_critical_option_of_the_caller_is_left_and_one_of_this_crate_is_still_checked() {
        let mut request = Message::new(GET).with_option(257, [1]);
        assert_eq!(recognise(&mut request, &[]), Err(BadOption(257)));
        assert_eq!(recognise(&mut request, &[257]), Ok(()));
        assert_eq!(request.option(257), Some([1].as_slice()));
        let mut request = Message::new(GET).with_option(URI_PORT, "too long");
        assert_eq!(
            recognise(&mut request, &[URI_PORT]),
            Err(BadOption(URI_PORT))
        );
    }

    #[test]
    fn repeatable_options_may_be_repeated() {
        let mut request = Message::new(GET);
        for number in [IF_MATCH, ETAG, URI_PATH, URI_QUERY, REQUEST_TAG] {
            request.push_option(number, "a");
            request.push_option(number, "b");
        }
        let before = request.clone();
        assert_eq!(recognise(&mut request, &[]), Ok(()));
        assert_eq!(request, before);
    }
}
