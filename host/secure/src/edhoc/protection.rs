//! The place of EDHOC and OSCORE in an endpoint.

use std::collections::VecDeque;
use std::time::Instant;

use coap::{CannotProtect, Host, Message, MessageProtection, PeerId, Reply};

use super::agreed::Agreed;
use super::identity::Identity;
use super::refusal::Refusal;
use super::renewals::Renewals;
use super::responder::Responder;
use crate::oscore::{Contexts, Identifier, Verified};

/// Security contexts, and the handshakes that make new ones.
pub struct Protection {
    /// The contexts.
    pub contexts: Contexts,
    pub(super) responder: Responder,
    pub(super) identity: Option<Identity>,
    /// One for a datagram; the caller takes them after each.
    agreed: VecDeque<Agreed>,
    renewals: Renewals,
    latest_refusal: Option<Refusal>,
}

impl Protection {
    /// Handshakes begin once there is an identity.
    #[must_use]
    pub fn new(contexts: Contexts, responder: Responder) -> Self {
        Self {
            contexts,
            responder,
            identity: None,
            agreed: VecDeque::new(),
            renewals: Renewals::default(),
            latest_refusal: None,
        }
    }

    /// The gateway's key pair, from now on.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// The next handshake that is complete. Poll it after each datagram. The caller removes the former context of the
    /// device, and stores the new one as [`Agreed`] says.
    pub fn poll_agreed(&mut self) -> Option<Agreed> {
        self.agreed.pop_front()
    }

    /// Why the last combined request since the last call was refused by EDHOC.
    pub fn take_refusal(&mut self) -> Option<Refusal> {
        self.latest_refusal.take()
    }

    /// Finishes a handshake: its context may be used at once. Returns message_4.
    pub(super) fn agree(
        &mut self,
        now: Instant,
        host: Option<Host>,
        c_r: Identifier,
        message_3: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let (agreed, message_4) = self.responder.finish(now, host, c_r, message_3)?;
        self.renewals
            .take(now, &agreed.principal)
            .map_err(Refusal::too_often)?;
        self.contexts
            .add_agreed(agreed.principal.clone(), &agreed.parameters)
            .map_err(|_| Refusal::NoContext)?;
        self.agreed.push_back(agreed);
        Ok(message_4)
    }
}

impl<P: PeerId> MessageProtection<P> for Protection {
    type Context = Verified;

    fn association(&self, verified: &Verified) -> u64 {
        MessageProtection::<P>::association(&self.contexts, verified)
    }

    fn unprotect(
        &mut self,
        now: Instant,
        peer: &P,
        request: &mut Message,
    ) -> Result<Option<Verified>, Message> {
        if let Err(refusal) = self.take_message_3(now, peer.host(), request) {
            self.latest_refusal = Some(refusal);
            return Err(refusal.response());
        }
        MessageProtection::<P>::unprotect(&mut self.contexts, now, peer, request)
    }

    fn protect(
        &mut self,
        now: Instant,
        peer: &P,
        verified: &Verified,
        reply: Reply,
        message: &mut Message,
    ) -> Result<(), CannotProtect> {
        MessageProtection::<P>::protect(&mut self.contexts, now, peer, verified, reply, message)
    }

    fn overhead(&self, verified: &Verified) -> usize {
        MessageProtection::<P>::overhead(&self.contexts, verified)
    }
}
