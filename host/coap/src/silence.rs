//! Requests that get no response (RFC 7967): the message layer goes on as ever, so a confirmable one is acknowledged, and a
//! duplicate is not processed again.

use std::fmt::Debug;
use std::hash::Hash;

use super::codec;
use super::endpoint::Endpoint;
use super::exchange::RequestMeta;
use super::message::{Datagram, MessageType};

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// Ends an exchange without its response. `acknowledged`: the empty ACK has left already.
    pub(super) fn answer_silently(
        &mut self,
        arrival: &RequestMeta<P>,
        acknowledged: bool,
        retain: bool,
    ) {
        let RequestMeta {
            peer,
            message_type,
            message_id,
            at,
            ..
        } = *arrival;
        self.counters.silenced += 1;
        let (acknowledgement, lifetime) = match message_type {
            MessageType::Confirmable => {
                let empty = Datagram::empty(MessageType::Acknowledgement, message_id);
                (codec::encode(&empty), self.limits.exchange_lifetime)
            }
            _ => (Vec::new(), self.limits.non_lifetime),
        };
        if !acknowledged && !acknowledgement.is_empty() {
            self.transmit(peer, acknowledgement.clone());
        }
        if retain {
            self.answers.keep(
                peer,
                message_type,
                message_id,
                at + lifetime,
                acknowledgement,
            );
        }
    }
}
