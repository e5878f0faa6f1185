//! The exit code, the name and the remedy of an outcome.

use super::no_response::NoResponse;
use coap::client::ExchangeError;
use coap::code::{self, class};
use secure::dtls::ClientError;

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
    pub const NO_RESPONSE: u8 = 6;
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

/// The exit code without a response.
pub(crate) fn exit_code_of_failure(failure: &NoResponse) -> u8 {
    match failure {
        NoResponse::HostNotFound { .. }
        | NoResponse::Refused(_)
        | NoResponse::Unreachable { .. }
        | NoResponse::Session { .. }
        | NoResponse::Closed(_)
        | NoResponse::Untrusted { .. }
        | NoResponse::HandshakeRefused { .. }
        | NoResponse::Handshake(_)
        | NoResponse::Parameters(_)
        | NoResponse::Setup(_)
        | NoResponse::CannotProtect(_)
        | NoResponse::SequenceNumbers(_)
        | NoResponse::Random(_) => exit::NO_RESPONSE,
        NoResponse::NotProtected { .. } | NoResponse::Response { .. } => exit::UNUSABLE,
        NoResponse::Exchange { error, .. } => match error {
            ExchangeError::Silent { .. } | ExchangeError::NoResponse => exit::NO_RESPONSE,
            ExchangeError::Reset
            | ExchangeError::TooLarge { .. }
            | ExchangeError::CriticalOption(_)
            | ExchangeError::ExcessiveOptions(_)
            | ExchangeError::Blocks(_) => exit::UNUSABLE,
        },
    }
}

/// The remedy without a response.
pub(crate) fn remedy(failure: &NoResponse, confirmable: bool) -> &'static str {
    match failure {
        NoResponse::HostNotFound { .. } => {
            "check the name, or the zone, in --gateway; an address works without DNS"
        }
        NoResponse::Refused(_) => {
            "start the gateway there (`comatrix-gateway`), or name its address and port with --gateway"
        }
        NoResponse::Unreachable { .. } => {
            "check the address in --gateway, the route to it and its zone"
        }
        NoResponse::Session {
            error: ClientError::Alert(51),
            ..
        } => {
            "the gateway has no such identity, or another key for it: `comatrix-gateway devices list` shows the \
             identities, and `devices rotate` makes a new key"
        }
        NoResponse::Session {
            error: ClientError::TimedOut,
            ..
        } => {
            "check that the gateway listens for coaps there, and that no firewall drops UDP on its port"
        }
        NoResponse::Session { .. } | NoResponse::Closed(_) => {
            "try again; if it fails again, read the gateway's log"
        }
        NoResponse::Untrusted { .. } => {
            "compare the file of --ca with the gateway's certificate, and --gateway with the name in it"
        }
        NoResponse::HandshakeRefused { code } if *code == code::SERVICE_UNAVAILABLE => {
            "the gateway has many handshakes in progress, or stores a security context; try again"
        }
        NoResponse::HandshakeRefused { .. } | NoResponse::Handshake(_) => {
            "the gateway does not have this credential, or has another one itself: compare both with those that \
             `comatrix-gateway devices show` prints, and read the gateway's log"
        }
        NoResponse::Parameters(_) => "try again",
        NoResponse::NotProtected { code, .. } if *code == code::SERVICE_UNAVAILABLE => {
            "the gateway stores the state of a new security context; try again"
        }
        NoResponse::NotProtected { .. } | NoResponse::Response { .. } => {
            "the gateway does not have this security context: compare it with `comatrix-gateway devices show`, or get \
             another one with `devices rotate`"
        }
        NoResponse::CannotProtect(_) => {
            "get another security context with `comatrix-gateway devices rotate`"
        }
        NoResponse::SequenceNumbers(_) => {
            "make the folder of the --oscore file writable: NAME.seq is there"
        }
        NoResponse::Setup(_) => "choose another --timeout",
        NoResponse::Random(_) => "try again",
        NoResponse::Exchange { error, .. } => match error {
            ExchangeError::Silent { .. } if !confirmable => {
                "a lost NON message is not retransmitted: leave out --non, or use --repeat"
            }
            ExchangeError::Silent { .. } => {
                "check that the gateway runs and that no firewall drops UDP on its port"
            }
            ExchangeError::NoResponse => "increase --timeout, and read the gateway's log",
            ExchangeError::Reset => "check that a CoMatrix gateway listens there, then try again",
            ExchangeError::TooLarge { .. }
            | ExchangeError::CriticalOption(_)
            | ExchangeError::ExcessiveOptions(_)
            | ExchangeError::Blocks(_) => {
                "check that a CoMatrix gateway listens there; if it does, report this with its log"
            }
        },
    }
}

/// The remedy for an error response; none if its own text is enough.
pub fn hint(response_code: u8) -> Option<&'static str> {
    Some(match response_code {
        code::UNAUTHORIZED => {
            "the homeserver needs a valid access token: `device login --save-token FILE`, then --token-file FILE"
        }
        code::FORBIDDEN => {
            "the account may not do this: is it invited to, or a member of, the room?"
        }
        code::REQUEST_ENTITY_TOO_LARGE => "send less: a Matrix event holds at most 65,536 bytes",
        code::TOO_MANY_REQUESTS | code::SERVICE_UNAVAILABLE => {
            "wait for Max-Age seconds, then try again"
        }
        code::BAD_GATEWAY => {
            "the homeserver failed, or is not a homeserver: read the gateway's log"
        }
        code::GATEWAY_TIMEOUT => "the homeserver is too slow or hangs: read the gateway's log",
        code::PROXYING_NOT_SUPPORTED => {
            "the gateway is not configured for this homeserver: add it there, or leave out --homeserver for its default"
        }
        _ => return None,
    })
}

/// The name of a response code, if it is registered.
pub fn name(response_code: u8) -> &'static str {
    code::name(response_code).unwrap_or("(unregistered)")
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    #[test]
    fn every_outcome_has_the_exit_code_in_help() {
        for (response_code, exit_code) in [
            (code::CHANGED, 0),
            (code::CONTENT, 0),
            (code::UNAUTHORIZED, 4),
            (code::GATEWAY_TIMEOUT, 5),
        ] {
            assert_eq!(exit_code_of_response(response_code), exit_code);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 5683));
        let failed = |error| exit_code_of_failure(&NoResponse::Exchange { address, error });
        assert_eq!(failed(ExchangeError::Silent { retransmissions: 4 }), 6);
        assert_eq!(failed(ExchangeError::NoResponse), 6);
        assert_eq!(failed(ExchangeError::Reset), 7);
        assert_eq!(failed(ExchangeError::Blocks("x")), 7);
        assert_eq!(exit_code_of_failure(&NoResponse::Refused(address)), 6);
    }

    #[test]
    fn every_error_code_of_the_gateway_has_a_name() {
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
