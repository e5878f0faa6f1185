//! The operator's settings.

use comatrix_sdk::settings::Settings;
use comatrix_sdk::text::concat;

/// Bytes of an answer to a device, at most. Not above `body` in `[rule.limits]`.
pub const ANSWER_BYTES: &str = "answer_bytes";
/// The default of `body` in `[rule.limits]`.
const DEFAULT_ANSWER_BYTES: usize = 256 * 1024;

/// The UDP port at which clients find the gateway with DTLS, for `GET /versions`; 0: there is none.
pub const DTLS_PORT: &str = "dtls_port";
/// `coaps` (RFC 7252 §6.2), which the gateway listens on too.
const DEFAULT_DTLS_PORT: u16 = 5684;

/// Names of rooms, which the gateway gives to the rule in the place of the default one. They are for other rules.
const ROOMS: &str = "room.";

/// Refuses what the rule does not have.
pub fn check(settings: &dyn Settings) -> Result<(), String> {
    for key in settings.keys() {
        let value = settings.get(key).unwrap_or_default();
        let is_right = match key {
            ANSWER_BYTES => value.parse::<u32>().is_ok_and(|bytes| bytes > 0),
            DTLS_PORT => value.parse::<u16>().is_ok(),
            key if key.starts_with(ROOMS) => true,
            _ => {
                let parts = [
                    "there is no setting ",
                    key,
                    "; this rule has answer_bytes and dtls_port",
                ];
                return Err(concat(&parts));
            }
        };
        if !is_right {
            let parts = [
                "the setting ",
                key,
                " = \"",
                value,
                "\" is no number of bytes above 0, or no port",
            ];
            return Err(concat(&parts));
        }
    }
    Ok(())
}

/// [`ANSWER_BYTES`], or its default.
pub fn answer_bytes(settings: &dyn Settings) -> usize {
    let value = settings
        .get(ANSWER_BYTES)
        .and_then(|value| value.parse().ok());
    value.unwrap_or(DEFAULT_ANSWER_BYTES)
}

/// [`DTLS_PORT`], or its default; none if there is no DTLS.
pub fn dtls_port(settings: &dyn Settings) -> Option<u16> {
    let value = settings.get(DTLS_PORT).and_then(|value| value.parse().ok());
    Some(value.unwrap_or(DEFAULT_DTLS_PORT)).filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_unknown_or_no_number_is_refused() {
        for wrong in [
            ("answer", "1"),
            ("answer_bytes", "0"),
            ("answer_bytes", "1 MiB"),
            ("dtls_port", "65536"),
        ] {
            let refused = check(&[wrong]).expect_err("refused");
            assert!(refused.contains(wrong.0), "{refused}");
        }
        assert_eq!(
            check(&[
                ("answer_bytes", "1000"),
                ("dtls_port", "0"),
                ("room.kitchen", "!k:h")
            ]),
            Ok(())
        );
    }

    #[test]
    fn settings_have_their_value_or_their_default() {
        assert_eq!((answer_bytes(&[]), dtls_port(&[])), (262_144, Some(5684)));
        let set = [("answer_bytes", "1000"), ("dtls_port", "0")];
        assert_eq!((answer_bytes(&set), dtls_port(&set)), (1000, None));
    }
}
