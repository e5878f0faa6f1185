//! Uri-Query as the query at the homeserver.

use comatrix_sdk::bindings::CoapOption;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::message::URI_QUERY;
use comatrix_sdk::text::decimal;

/// Milliseconds for which a homeserver may hold a request, at most: the gateway waits no longer
/// (`http-request.hold-ms`).
pub const MAX_HOLD_MS: u32 = 60_000;

/// The pairs, `name=value` each, in their order. The gateway percent-encodes them. An access token is refused: it has
/// an option of its own, which no log shows.
pub fn pairs(options: &[CoapOption]) -> Result<Vec<(String, String)>, ErrorResponse> {
    let mut pairs = Vec::new();
    for option in options.iter().filter(|option| option.number == URI_QUERY) {
        let Ok(text) = str::from_utf8(&option.value) else {
            return Err(ErrorResponse::bad_request("Uri-Query: not UTF-8"));
        };
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if name == "access_token" {
            return Err(ErrorResponse::bad_request(
                "Uri-Query: send the access token in option 256",
            ));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

/// The `timeout` of a long poll in milliseconds. A longer one than the gateway waits is shortened to that.
pub fn hold_ms(pairs: &mut [(String, String)]) -> u32 {
    let Some((_, value)) = pairs.iter_mut().find(|(name, _)| name == "timeout") else {
        return 0;
    };
    match value.parse::<u64>() {
        Ok(wanted) => {
            let held = u32::try_from(wanted)
                .unwrap_or(MAX_HOLD_MS)
                .min(MAX_HOLD_MS);
            if u64::from(held) < wanted {
                *value = decimal(held);
            }
            held
        }
        // The homeserver says what is wrong with it.
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(value: &[u8]) -> CoapOption {
        CoapOption {
            number: URI_QUERY,
            value: value.to_vec(),
        }
    }

    #[test]
    fn a_query_is_split_at_its_first_equals_sign() {
        let options = [
            option(b"filter={\"a\"=1}"),
            option(b"full_state"),
            option(b"since="),
        ];
        let pairs = pairs(&options).expect("all are text");
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            pairs,
            [("filter", "{\"a\"=1}"), ("full_state", ""), ("since", "")]
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_access_tokens_are_refused() {
        for value in [&b"a=\xff"[..], b"access_token=secret"] {
            assert!(pairs(&[option(value)]).is_err());
        }
    }

    #[test]
    fn a_long_poll_is_held_as_long_as_the_gateway_waits() {
        for (wanted, held, sent) in [
            ("0", 0, "0"),
            ("30000", 30_000, "30000"),
            ("60001", 60_000, "60000"),
            ("18446744073709551615", 60_000, "60000"),
            ("soon", 0, "soon"),
        ] {
            let mut pairs = [("timeout".to_owned(), wanted.to_owned())];
            assert_eq!(hold_ms(&mut pairs), held, "{wanted}");
            assert_eq!(pairs[0].1, sent, "{wanted}");
        }
    }
}
