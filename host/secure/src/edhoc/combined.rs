//! The combined request (RFC 9668 §3): message_3 before the ciphertext of the first protected request.

use std::time::Instant;

use coap::option::{EDHOC, OSCORE};
use coap::{Host, Message};

use super::message_3;
use super::protection::Protection;
use super::refusal::Refusal;
use crate::oscore::request_kid;

impl Protection {
    /// If a request is a combined one: finishes its handshake, and leaves the protected request in it (RFC 9668 §3.3.1,
    /// steps 1 to 7).
    pub(super) fn take_message_3(
        &mut self,
        now: Instant,
        host: Option<Host>,
        request: &mut Message,
    ) -> Result<(), Refusal> {
        // Without a key pair the option is not understood, as by any endpoint without EDHOC.
        if self.identity.is_none() || request.option(EDHOC).is_none() {
            return Ok(());
        }
        let kid = request_kid(request).ok_or(Refusal::Malformed)?;
        let (message_3, ciphertext) = message_3::split(&request.payload)?;
        if request.options(OSCORE).count() != 1 || ciphertext.is_empty() {
            return Err(Refusal::Malformed);
        }
        let ciphertext = ciphertext.to_vec();
        self.agree(now, host, kid, message_3)?;
        request.payload = ciphertext;
        request.remove_option(EDHOC);
        Ok(())
    }
}
