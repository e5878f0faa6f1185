//! One security context (RFC 8613 §3): keys, sender sequence numbers and replay window. `server` and `client` use it.

use coap::option::{OBSERVE, OSCORE};
use coap::{Message, code};

use super::class::take_outer;
use super::derivation::{Keys, Parameters, ParametersError};
use super::identifier::Identifier;
use super::nonce::{PartialIv, additional_data, nonce};
use super::option_value::OptionValue;
use super::plaintext;
use super::replay_window::ReplayWindow;
use super::sender_numbers::{NoNumber, SenderNumbers};
use super::usage::{Spent, Usage};

/// A security context, shared with one peer.
///
/// Its state must outlive it: [`poll_reservation`](Self::poll_reservation) returns the end of a block of sequence
/// numbers for the caller to store, and [`reserved`](Self::reserved) says that it is stored. No number at or above the
/// stored end is used.
#[derive(Debug)]
pub struct Context {
    pub(super) keys: Keys,
    pub(super) numbers: SenderNumbers,
    pub(super) window: ReplayWindow,
    pub(super) usage: Usage,
}

/// Why a message cannot be protected. The message has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotProtect {
    /// It needs a sequence number, and there is none.
    #[error(transparent)]
    NoNumber(#[from] NoNumber),
    /// Its keys have been used too often.
    #[error(transparent)]
    Spent(#[from] Spent),
    /// Its context was removed or has expired.
    #[error("the security context was removed or has expired")]
    NoContext,
    /// Longer than a datagram.
    #[error("the message has more than 65,535 bytes; send it in blocks")]
    TooLong,
}

/// The request that a message belongs to: it makes the additional data, and the nonce of a response without its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestId {
    pub(super) kid: Identifier,
    pub(super) iv: PartialIv,
}

impl Context {
    /// A context with its keys.
    ///
    /// `stored_end` is what the store has of the last reservation; 0 if the context was never used. Any other value
    /// means that numbers below it may have been used and that the replay window is lost.
    ///
    /// # Errors
    /// See [`ParametersError`].
    pub fn new(parameters: &Parameters, stored_end: u64) -> Result<Self, ParametersError> {
        let window = match stored_end {
            0 => ReplayWindow::unused(),
            _ => ReplayWindow::Lost,
        };
        Ok(Self {
            keys: Keys::derive(parameters)?,
            numbers: SenderNumbers::resume(stored_end),
            window,
            usage: Usage::default(),
        })
    }

    /// A context that both endpoints have just agreed on, and that nobody has used. Its first block of numbers may be
    /// used at once: the store must get the context and the end of that block in one step, and after a restart the
    /// context must either be lost or begin at that end.
    ///
    /// # Errors
    /// See [`ParametersError`].
    pub(super) fn agreed(parameters: &Parameters) -> Result<Self, ParametersError> {
        Ok(Self {
            keys: Keys::derive(parameters)?,
            numbers: SenderNumbers::agreed(),
            window: ReplayWindow::unused(),
            usage: Usage::default(),
        })
    }

    /// The end of the next reservation, for the caller to store; none if there are numbers enough, and the counts
    /// of uses that are stored hold. Poll it after
    /// [`new`](Self::new) and after each message. Each end is returned once; write it again if the write fails.
    #[must_use]
    pub fn poll_reservation(&mut self) -> Option<u64> {
        let is_used = self.usage.is_due();
        let end = self.numbers.poll_reservation();
        let end = end.or_else(|| is_used.then(|| self.numbers.poll_again()).flatten())?;
        self.usage.reserve();
        Some(end)
    }

    /// The store has this end, and will have it after a power cut.
    pub fn reserved(&mut self, end: u64) {
        self.numbers.reserved(end);
    }

    /// Encrypts a message with the Sender Key and a nonce, and puts it in place of its plaintext. `id` and `iv` make
    /// the nonce; the caller never uses a pair twice.
    pub(super) fn seal(
        &mut self,
        request: RequestId,
        (id, iv): (Identifier, PartialIv),
        value: &OptionValue<'_>,
        message: &mut Message,
    ) -> Result<(), CannotProtect> {
        self.usage.seal()?;
        let is_request = code::is_request(message.code);
        let mut inner = message.clone();
        let mut outer = Message::new(outer_code(is_request, message.option(OBSERVE).is_some()));
        outer.options = take_outer(&mut inner);
        if let Some(observe) = message.option(OBSERVE) {
            outer.push_option(OBSERVE, observe);
            if !is_request {
                // The client orders notifications by their Partial IV (RFC 8613 §4.1.3.5.2).
                inner.set_option(OBSERVE, []);
            }
        }
        outer.push_option(OSCORE, value.encode());
        outer.payload = plaintext::write(inner);
        let nonce = nonce(&self.keys.common_iv, id, iv);
        let data = additional_data(request.kid, request.iv);
        self.keys
            .sender
            .seal(&nonce, &data, &mut outer.payload)
            .ok_or(CannotProtect::TooLong)?;
        *message = outer;
        Ok(())
    }

    /// Decrypts a payload with the Recipient Key; none if it is not authentic.
    pub(super) fn open(
        &self,
        request: RequestId,
        (id, iv): (Identifier, PartialIv),
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let nonce = nonce(&self.keys.common_iv, id, iv);
        let data = additional_data(request.kid, request.iv);
        let mut text = payload.to_vec();
        self.keys.recipient.open(&nonce, &data, &mut text)?;
        Some(text)
    }
}

/// The code outside (RFC 8613 §4.2): it says only whether the message belongs to an observation.
fn outer_code(is_request: bool, observes: bool) -> u8 {
    match (is_request, observes) {
        (true, false) => code::POST,
        (true, true) => code::FETCH,
        (false, false) => code::CHANGED,
        (false, true) => code::CONTENT,
    }
}
