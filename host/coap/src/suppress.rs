//! Requests that get no response (RFC 7967, RFC 7252 §8.2). The message layer does not change: a confirmable request is
//! acknowledged, and a duplicate is not processed again.

use crate::codec;
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, RequestMeta};
use crate::message::{Datagram, MessageType};
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Ends an exchange without its response, which has this code. `ack`: of its request.
    pub(super) fn suppress_response(
        &mut self,
        meta: &RequestMeta<P, X::Context>,
        ack: Ack,
        retain: bool,
        code: u8,
    ) {
        self.counters.silenced += 1;
        let acknowledgement = match meta.message_type {
            MessageType::Confirmable => {
                let empty = Datagram::empty(MessageType::Acknowledgement, meta.message_id);
                codec::encode(&empty)
            }
            _ => Vec::new(),
        };
        if ack == Ack::Due && !acknowledgement.is_empty() {
            self.transmit(&meta.peer, acknowledgement.clone());
        }
        if retain {
            self.retain(meta, code, None, acknowledgement);
        }
    }
}
