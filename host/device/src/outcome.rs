//! What an outcome means: its exit code, its name, and what to do about it.

use super::udp::NoAnswer;
use coap::client::ExchangeError;
use coap::code::{self, class};

/// Exit codes of the device commands, as `--help` lists them.
pub mod exit {
    /// Every response was of class 2.
    pub const SUCCESS: u8 = 0;
    /// The command line or a file is wrong.
    pub const USAGE: u8 = 2;
    /// A response of class 4.
    pub const CLIENT_ERROR: u8 = 4;
    /// A response of class 5.
    pub const SERVER_ERROR: u8 = 5;
    /// No response.
    pub const NO_ANSWER: u8 = 6;
    /// A reset, or a response that cannot be used.
    pub const UNUSABLE: u8 = 7;
}

/// The exit code of a response code.
pub fn exit_code_of_response(response_code: u8) -> u8 {
    match class(response_code) {
        2 => exit::SUCCESS,
        4 => exit::CLIENT_ERROR,
        5 => exit::SERVER_ERROR,
        _ => exit::UNUSABLE,
    }
}

/// The exit code where there is no response.
pub(crate) fn exit_code_of_failure(failure: &NoAnswer) -> u8 {
    match failure {
        NoAnswer::HostNotFound { .. }
        | NoAnswer::Refused(_)
        | NoAnswer::Unreachable { .. }
        | NoAnswer::Random(_) => exit::NO_ANSWER,
        NoAnswer::Exchange { error, .. } => match error {
            ExchangeError::Silent { .. } | ExchangeError::NoResponse => exit::NO_ANSWER,
            ExchangeError::Reset
            | ExchangeError::TooLarge { .. }
            | ExchangeError::CriticalOption(_)
            | ExchangeError::Blocks(_) => exit::UNUSABLE,
        },
    }
}

/// What to do where there is no response.
pub(crate) fn remedy(failure: &NoAnswer, confirmable: bool) -> &'static str {
    match failure {
        NoAnswer::HostNotFound { .. } => {
            "check the name, or the zone, in --gateway; an address works without DNS"
        }
        NoAnswer::Refused(_) => {
            "start the gateway there (`comatrix-gateway`), or name its address and port with --gateway"
        }
        NoAnswer::Unreachable { .. } => {
            "check the address in --gateway, the route to it and its zone"
        }
        NoAnswer::Random(_) => "try again",
        NoAnswer::Exchange { error, .. } => match error {
            ExchangeError::Silent { .. } if !confirmable => {
                "a NON is not sent again when it is lost: leave out --non, or repeat"
            }
            ExchangeError::Silent { .. } => {
                "check that the gateway runs and that no firewall drops UDP on its port"
            }
            ExchangeError::NoResponse => {
                "give it more time with --timeout, and look into the gateway's log"
            }
            ExchangeError::Reset => "check that a CoMatrix gateway listens there, then try again",
            ExchangeError::TooLarge { .. }
            | ExchangeError::CriticalOption(_)
            | ExchangeError::Blocks(_) => {
                "check that a CoMatrix gateway listens there; if it does, report this with its log"
            }
        },
    }
}

/// What to do about an error response; none where its own text is enough.
pub fn hint(response_code: u8) -> Option<&'static str> {
    Some(match response_code {
        code::UNAUTHORIZED => {
            "the homeserver wants a valid access token: `device login --save-token FILE`, then --token-file FILE"
        }
        code::FORBIDDEN => {
            "the account may not do this: is it invited to, or a member of, the room?"
        }
        code::REQUEST_ENTITY_TOO_LARGE => "send less: a Matrix event holds at most 65,536 bytes",
        code::TOO_MANY_REQUESTS | code::SERVICE_UNAVAILABLE => {
            "wait for Max-Age seconds, then try again"
        }
        code::BAD_GATEWAY => "the homeserver failed or is none: look into the gateway's log",
        code::GATEWAY_TIMEOUT => "the homeserver is too slow or hangs: look into the gateway's log",
        code::PROXYING_NOT_SUPPORTED => {
            "the gateway is not configured for this homeserver: add it there, or leave out --homeserver for its default"
        }
        _ => return None,
    })
}

/// The name of a response code, where it has one.
pub fn name(response_code: u8) -> &'static str {
    code::name(response_code).unwrap_or("(unregistered)")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    #[test]
    fn every_outcome_has_the_exit_code_that_help_promises() {
        for (response_code, exit_code) in [
            (code::CHANGED, 0),
            (code::CONTENT, 0),
            (code::UNAUTHORIZED, 4),
            (code::GATEWAY_TIMEOUT, 5),
        ] {
            assert_eq!(exit_code_of_response(response_code), exit_code);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 5683));
        let failed = |error| exit_code_of_failure(&NoAnswer::Exchange { address, error });
        assert_eq!(failed(ExchangeError::Silent { retransmissions: 4 }), 6);
        assert_eq!(failed(ExchangeError::NoResponse), 6);
        assert_eq!(failed(ExchangeError::Reset), 7);
        assert_eq!(failed(ExchangeError::Blocks("x")), 7);
        assert_eq!(exit_code_of_failure(&NoAnswer::Refused(address)), 6);
    }

    #[test]
    fn every_error_code_that_this_gateway_answers_has_a_name() {
        for response_code in [
            128, 129, 130, 131, 132, 133, 134, 136, 141, 143, 157, 160, 162, 163, 164, 165,
        ] {
            assert_ne!(
                name(response_code),
                "(unregistered)",
                "{}",
                code::Dotted(response_code)
            );
        }
    }
}
