//! Fits a response to its request and its peer: the format of errors, the peer's allowance, and blocks.

use std::time::Instant;

use crate::allowance::{self, TooLarge};
use crate::block::Block;
use crate::cache_key::ResponseKey;
use crate::code::{self, BAD_REQUEST};
use crate::codec::encoded_length;
use crate::endpoint::Endpoint;
use crate::exchange::RequestMeta;
use crate::message::Message;
use crate::option::{CONTENT_FORMAT, OSCORE};
use crate::peer::Peer;
use crate::peer_id::PeerId;
use crate::problem;
use crate::protection::MessageProtection;
use crate::wanted::Wanted;

/// Bytes that some responses leave of the allowance, in empty messages of 4 bytes (RFC 7252 §3): the ACK that has left
/// before a separate response, the ping that may follow it or a registration, and its retransmission.
const EMPTY_MESSAGES: usize = 3 * 4;

/// Bytes of the header (RFC 7252 §3), without the token.
const HEADER: usize = 4;

/// What empty messages leave of an allowance.
pub(super) fn beside_empty_messages(allowance: usize) -> usize {
    allowance.saturating_sub(EMPTY_MESSAGES)
}

/// An error in the format that the client accepts.
pub(super) fn in_accepted_format<P, C>(meta: &RequestMeta<P, C>, response: Message) -> Message {
    if meta.constraints.problem_details {
        problem::from_diagnostic(response)
    } else {
        response
    }
}

/// The response to a request that does not verify, in no more bytes than the request has: nobody has shown a key, and
/// whoever forges an address would send its owner more than the forger sends. What does not fit leaves: the diagnostic,
/// then the options. A proven address gets the response as it is. None if it is protected and too long: nothing can
/// leave it.
pub(super) fn no_longer_than<P, C>(
    bytes: usize,
    meta: &RequestMeta<P, C>,
    mut response: Message,
) -> Option<Message> {
    let is_longer = |response: &Message| {
        let payload = response.payload.len() + usize::from(!response.payload.is_empty());
        let token = meta.token.as_bytes().len();
        HEADER + token + encoded_length(&response.options) + payload > bytes
    };
    if meta.constraints.allowance == usize::MAX || !is_longer(&response) {
        return Some(response);
    }
    if response.option(OSCORE).is_some() {
        return None;
    }
    response.payload.clear();
    response
        .options
        .retain(|option| option.number != CONTENT_FORMAT);
    if is_longer(&response) {
        response.options.clear();
    }
    Some(response)
}

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// The response fitted to the peer's allowance, and its block to send. `beside`: empty messages leave too.
    pub(super) fn within_allowance(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        beside: bool,
        wanted: Wanted,
        mut response: Message,
    ) -> (Message, Wanted) {
        let mut allowance = meta.constraints.allowance;
        if allowance == usize::MAX {
            return (response, wanted);
        }
        if beside {
            allowance = beside_empty_messages(allowance);
        }
        match allowance::fit(allowance, meta.token, wanted, &mut response) {
            Ok(wanted) => (response, wanted),
            // What was done must not be refused: its device would do it again.
            Err(TooLarge) if code::class(response.code) == 2 && !code::is_safe(meta.method) => {
                (Message::new(response.code), wanted)
            }
            Err(TooLarge) => (self.unproven(meta), wanted),
        }
    }

    /// The block that a peer wants: the one that its request names, else the first one, in the size that the peer named
    /// last or that its network has. It is not larger than the endpoint sends: a response that leaves in small blocks
    /// anyway needs no proof.
    pub(super) fn wanted(&self, now: Instant, peer: &Peer<P>, requested: Option<Block>) -> Wanted {
        let most = self.limits.block_size_exponent.min(peer.id.largest_block());
        if let Some(block) = requested {
            return Wanted::Requested(block.at_most(most));
        }
        let named = self.peers.block_exponent(now, peer.hash);
        let first = named.unwrap_or_else(|| self.limits.first_block_for(&peer.id));
        Wanted::First(first.min(most))
    }

    /// A response that fits into one message. The rest of a larger body is stored for later requests.
    pub(super) fn in_blocks(
        &mut self,
        now: Instant,
        key: ResponseKey<P>,
        wanted: Wanted,
        response: Message,
    ) -> Message {
        let secret = &self.secret;
        let tag = |body: &[u8]| (secret.hash(body) >> 32) as u32;
        let fitted = self.block2.fit(now, key, wanted, response, tag);
        fitted.unwrap_or_else(|error| Message::diagnostic(BAD_REQUEST, error.to_string()))
    }
}
