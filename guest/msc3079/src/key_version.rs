//! Option 257: the version of the table of integer keys that a client understands.

use comatrix_sdk::bindings::{CoapOption, KnownOption};
use comatrix_sdk::code;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::message::uint_option;
use comatrix_sdk::text::{concat, decimal};

/// The access token. The gateway keeps its value.
const ACCESS_TOKEN: u16 = 256;
/// The version of the table: a uint. It is odd, so critical (RFC 7252 §5.4.1): a server that does not know it must not
/// act on the request.
pub const KEY_VERSION: u16 = 257;
/// The only version that there is.
pub const VERSION: u32 = 1;
/// Bytes of the largest uint that the SDK reads.
const MAX_VALUE: u16 = 4;
/// Bytes of an access token: the most that an option has. The gateway has its own bound.
const MAX_TOKEN: u16 = 64;

/// The contract's `known-options`: the gateway remembers both for each secured session.
pub fn known_options() -> Vec<KnownOption> {
    let known = |number, longest| KnownOption {
        number,
        longest,
        sticky: true,
    };
    vec![
        known(ACCESS_TOKEN, MAX_TOKEN),
        known(KEY_VERSION, MAX_VALUE),
    ]
}

/// Whether the client has named the version of its table. 4.02 for one that the rule does not have.
pub fn is_named(options: &[CoapOption]) -> Result<bool, ErrorResponse> {
    if !options.iter().any(|option| option.number == KEY_VERSION) {
        return Ok(false);
    }
    match uint_option(options, KEY_VERSION) {
        Some(VERSION) => Ok(true),
        version => {
            let version = version.map_or_else(|| "longer than 4 bytes".to_owned(), decimal);
            let known = decimal(VERSION);
            let parts = [
                "option 257: send key version ",
                &known,
                ", which is known; not ",
                &version,
            ];
            Err(ErrorResponse::new(code::BAD_OPTION, concat(&parts)))
        }
    }
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::message::uint;

    use super::*;

    #[test]
    fn only_version_1_is_known_and_a_refusal_says_so() {
        assert_eq!(is_named(&[]), Ok(false));
        assert_eq!(is_named(&[uint(KEY_VERSION, 1)]), Ok(true));
        for version in [0, 2, u32::MAX] {
            let refused = is_named(&[uint(KEY_VERSION, version)]).expect_err("unknown");
            let failure = refused.into_failure();
            assert_eq!(failure.code, code::BAD_OPTION);
            assert!(
                failure.diagnostic.contains("send key version 1"),
                "{}",
                failure.diagnostic
            );
            assert!(
                failure.diagnostic.ends_with(&version.to_string()),
                "{}",
                failure.diagnostic
            );
        }
    }
}
