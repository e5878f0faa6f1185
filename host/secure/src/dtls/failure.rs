//! What an error of the library within a handshake means: for the device, and for the operator.

use dimpl::{CryptoError, SecurityError};

use super::method::Method;
use super::record::Alert;
use super::recorder::Claim;
use super::refusal::Refusal;

/// The alert to send, if any, and the refusal. `claim` is whose key the handshake uses.
pub(super) fn of(
    error: &dimpl::Error,
    method: Method,
    claim: Option<Claim>,
) -> (Option<Alert>, Refusal) {
    match (error, claim) {
        (dimpl::Error::SecurityError(SecurityError::FatalAlert { description }), _) => {
            (None, Refusal::Alert(*description))
        }
        (dimpl::Error::Timeout(_), _) => (None, Refusal::TimedOut { method }),
        (error, Some(Claim::Device(principal))) if is_wrong_key(error) => {
            (Some(Alert::DecryptError), Refusal::WrongKey(principal))
        }
        (error, Some(Claim::Unknown(identity))) if is_wrong_key(error) => (
            Some(Alert::DecryptError),
            Refusal::UnknownIdentity(identity),
        ),
        (error, _) => {
            let cause = error.to_string();
            (
                Some(Alert::HandshakeFailure),
                Refusal::Protocol { method, cause },
            )
        }
    }
}

/// Whether the device's Finished cannot be decrypted or does not fit, as with another key.
fn is_wrong_key(error: &dimpl::Error) -> bool {
    matches!(
        error,
        dimpl::Error::CryptoError(CryptoError::OperationFailed(_))
            | dimpl::Error::SecurityError(SecurityError::ClientFinishedVerificationFailed)
    )
}

#[cfg(test)]
mod tests {
    use dimpl::{CryptoOperation, TimeoutError};

    use super::*;
    use crate::dtls::refusal::Identity;

    #[test]
    fn a_wrong_key_and_an_unknown_identity_differ_for_the_operator_only() {
        let error =
            dimpl::Error::CryptoError(CryptoError::OperationFailed(CryptoOperation::Decrypt));
        let (known, refusal) = of(&error, Method::Psk, Some(Claim::Device("kitchen".into())));
        assert_eq!(refusal, Refusal::WrongKey("kitchen".into()));
        let stranger = Identity::new(b"stranger");
        let (unknown, refusal) = of(&error, Method::Psk, Some(Claim::Unknown(stranger.clone())));
        assert_eq!(refusal, Refusal::UnknownIdentity(stranger));
        assert_eq!(
            (known, unknown),
            (Some(Alert::DecryptError), Some(Alert::DecryptError))
        );
    }

    #[test]
    fn a_device_that_is_silent_or_has_ended_it_gets_no_alert() {
        let timeout = dimpl::Error::Timeout(TimeoutError::Handshake);
        let (alert, refusal) = of(&timeout, Method::Psk, None);
        assert_eq!(
            (alert, refusal),
            (
                None,
                Refusal::TimedOut {
                    method: Method::Psk
                }
            )
        );
        let ended = dimpl::Error::SecurityError(SecurityError::FatalAlert { description: 48 });
        assert_eq!(
            of(&ended, Method::Certificate, None),
            (None, Refusal::Alert(48))
        );
    }
}
