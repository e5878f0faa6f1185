//! Which access token the gateway uses for the address of the probe: a read without a token shows it.

use std::time::Duration;

use coap::client::{BlockSize, Settings};
use coap::option::{CONTENT_FORMAT, ECHO, URI_PATH};
use coap::{Message, code};

use super::prober::Prober;

/// A room that does not exist (RFC 2606 §2): the homeserver has no message of it, whoever asks.
const ROOM: &str = "!probe:invalid";

/// Above the gateway's limit for a request (10 s) and for the proof of an address before it.
const TIME: Duration = Duration::from_secs(20);

/// Responses have a diagnostic of the gateway, or a short error of the homeserver.
const MAX_RESPONSE: usize = 16 * 1_024;

/// The token policy for this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPolicy {
    /// The gateway asked the homeserver with its own token, and the homeserver knows that token.
    Gateways,
    /// The gateway asked with its own token, and the homeserver rejected it.
    GatewaysRejected,
    /// The gateway would use its own token, but got no response from the homeserver: the response code.
    NoHomeserver(u8),
    /// 4.01: the device must send a token of its own.
    Own,
    /// 4.01 again after the Echo option was sent back: the address cannot be proven.
    Unproven,
    /// Another response of the gateway: the resource may be switched off.
    Unknown(u8),
    /// No response.
    Silent,
}

/// Asks for the last message of a room that does not exist, without an access token.
pub fn token_policy(prober: &mut Prober<'_>) -> TokenPolicy {
    let settings = Settings {
        confirmable: true,
        block_size: BlockSize::LARGEST,
        ask_block_size: false,
        timeout: TIME,
        max_response_body: MAX_RESPONSE,
    };
    let request = Message::new(code::GET)
        .with_option(URI_PATH, "getmsg")
        .with_option(URI_PATH, ROOM);
    let Some(response) = prober.exchange(request.clone(), settings) else {
        return TokenPolicy::Silent;
    };
    match response.option(ECHO).map(<[u8]>::to_vec) {
        Some(echo) if response.code == code::UNAUTHORIZED => {
            match prober.exchange(request.with_option(ECHO, echo), settings) {
                Some(response) if response.option(ECHO).is_some() => TokenPolicy::Unproven,
                Some(response) => policy_of(&response),
                None => TokenPolicy::Silent,
            }
        }
        _ => policy_of(&response),
    }
}

/// An error of the homeserver has a Content-Format, one of the gateway does not (RFC 7252 §5.5.2).
fn policy_of(response: &Message) -> TokenPolicy {
    let is_of_homeserver = response.option(CONTENT_FORMAT).is_some();
    match (response.code, is_of_homeserver) {
        (code::UNAUTHORIZED, false) => TokenPolicy::Own,
        (code::UNAUTHORIZED, true) => TokenPolicy::GatewaysRejected,
        (code::BAD_GATEWAY | code::SERVICE_UNAVAILABLE | code::GATEWAY_TIMEOUT, _) => {
            TokenPolicy::NoHomeserver(response.code)
        }
        (_, true) => TokenPolicy::Gateways,
        (other, false) => TokenPolicy::Unknown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_read_from_code_and_content_format() {
        for (response, policy) in [
            (Message::new(code::UNAUTHORIZED), TokenPolicy::Own),
            (
                Message::new(code::UNAUTHORIZED).with_uint_option(CONTENT_FORMAT, 60),
                TokenPolicy::GatewaysRejected,
            ),
            (
                Message::new(code::FORBIDDEN).with_uint_option(CONTENT_FORMAT, 60),
                TokenPolicy::Gateways,
            ),
            (
                Message::new(code::NOT_FOUND),
                TokenPolicy::Unknown(code::NOT_FOUND),
            ),
            (
                Message::new(code::BAD_GATEWAY).with_uint_option(CONTENT_FORMAT, 60),
                TokenPolicy::NoHomeserver(code::BAD_GATEWAY),
            ),
        ] {
            assert_eq!(policy_of(&response), policy, "{response:?}");
        }
    }
}
