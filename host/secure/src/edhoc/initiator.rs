//! The initiator: the side of a device, for tools and tests.

use lakers::{CredentialTransfer, EDHOCError, InitiatorStart, MAX_KDF_CONTEXT_LEN, WaitM2, WaitM4};
use zeroize::Zeroizing;

use super::ccs::Ccs;
use super::curve;
use super::identity::Identity;
use super::responder::{Random, exported, library_credential};
use super::suite_2::Suite2;
use crate::oscore::{Identifier, Parameters};

/// Bytes of message_2. A gateway's has about 50, and the library has room for what is hashed with so many.
const LONGEST_MESSAGE_2: usize = 80;

/// A handshake that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InitiatorError {
    /// Not a message that the library reads.
    #[error("the gateway's message is none of EDHOC that this device can read")]
    Malformed,
    /// Another gateway, or another credential than the one that the device has.
    #[error(
        "the gateway does not prove the key of its credential; compare it with the one of the enrolment"
    )]
    NotAuthentic,
    /// The random source made no key.
    #[error("no ephemeral key could be made; the random source is broken")]
    NoKey,
}

impl From<EDHOCError> for InitiatorError {
    fn from(error: EDHOCError) -> Self {
        match error {
            EDHOCError::MacVerificationFailed => Self::NotAuthentic,
            _ => Self::Malformed,
        }
    }
}

/// A device that has sent message_1.
pub struct Initiator {
    waiting: WaitM2,
    c_i: Identifier,
}

/// A device that has verified message_2, and may send message_3.
pub struct Verified {
    /// message_3.
    pub message_3: Vec<u8>,
    /// C_R: the identifier to send before message_3, and the `kid` of requests.
    pub c_r: Identifier,
    /// The security context, as the device sees it. It may be used with message_3 (RFC 9668).
    pub parameters: Parameters,
    #[cfg(any(test, feature = "forgery"))]
    pub(super) processed: lakers::ProcessedM2,
    waiting: WaitM4,
}

pub(super) fn crypto() -> Suite2 {
    Suite2 {
        ephemeral: ([0; 32], [0; 32]),
        accepts: |_| true,
    }
}

impl Initiator {
    /// Makes message_1, with the gateway's Sender ID in the context.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub fn begin(c_i: Identifier, random: &mut Random) -> Result<(Self, Vec<u8>), InitiatorError> {
        let mut x = Zeroizing::new([0; 32]);
        random(&mut *x);
        let (g_x, _) = curve::public_key(&x).ok_or(InitiatorError::NoKey)?;
        let start = InitiatorStart {
            suites_i: lakers::EdhocBuffer::new_from_slice(&[2])
                .map_err(|_| InitiatorError::Malformed)?,
            method: lakers::EDHOC_METHOD,
            x: *x,
            g_x,
        };
        let id = lakers::ConnId::from_slice(c_i.as_bytes()).ok_or(InitiatorError::Malformed)?;
        let (waiting, message_1) = lakers::i_prepare_message_1(&start, &mut crypto(), id, &None)?;
        Ok((Self { waiting, c_i }, message_1.as_slice().to_vec()))
    }

    /// Verifies message_2 of the gateway with this credential, and makes message_3.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub fn verify(
        self,
        device: &Identity,
        gateway: &Ccs,
        message_2: &[u8],
    ) -> Result<Verified, InitiatorError> {
        let crypto = &mut crypto();
        let message_2 = message_2.get(..LONGEST_MESSAGE_2.min(message_2.len()));
        let message_2 = lakers::BufferMessage2::new_from_slice(message_2.unwrap_or_default())
            .map_err(|_| InitiatorError::Malformed)?;
        let (processing, c_r, _, _) = lakers::i_parse_message_2(&self.waiting, crypto, &message_2)?;
        let gateway = library_credential(gateway).ok_or(InitiatorError::Malformed)?;
        let processed = lakers::i_verify_message_2(&processing, crypto, gateway, device.private())?;
        let own = library_credential(device.ccs()).ok_or(InitiatorError::Malformed)?;
        let by_kid = CredentialTransfer::ByReference;
        let (waiting, message_3, _) =
            lakers::i_prepare_message_3(&processed, crypto, own, by_kid, &None)?;
        let completed = lakers::i_complete_without_message_4(&waiting)?;
        let c_r = Identifier::new(c_r.as_slice()).ok_or(InitiatorError::Malformed)?;
        let none = [0; MAX_KDF_CONTEXT_LEN];
        let parameters = exported((c_r, self.c_i), |label, length| {
            lakers::edhoc_exporter(&completed, crypto, label, &none, 0, length)
        });
        Ok(Verified {
            message_3: message_3.as_slice().to_vec(),
            c_r,
            parameters: parameters.ok_or(InitiatorError::Malformed)?,
            #[cfg(any(test, feature = "forgery"))]
            processed,
            waiting,
        })
    }
}

impl Verified {
    /// Verifies message_4, the gateway's response to message_3 on its own.
    ///
    /// # Errors
    /// [`InitiatorError`].
    pub fn verify_message_4(&mut self, message_4: &[u8]) -> Result<(), InitiatorError> {
        // A tag, and no plaintext.
        if message_4.len() != 1 + lakers::AES_CCM_TAG_LEN {
            return Err(InitiatorError::Malformed);
        }
        let message_4 = lakers::BufferMessage4::new_from_slice(message_4)
            .map_err(|_| InitiatorError::Malformed)?;
        lakers::i_process_message_4(&mut self.waiting, &mut crypto(), &message_4)?;
        Ok(())
    }
}
