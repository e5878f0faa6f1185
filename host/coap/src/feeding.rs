//! Observations whose messages an observer must have as a whole: the next one leaves when it has fetched the last block
//! of the one before.

use std::time::Instant;

use crate::block::Block;
use crate::code;
use crate::endpoint::Endpoint;
use crate::exchange::ExchangeId;
use crate::message::Message;
use crate::observation::{Begun, Ended, Fetch, ObservationId, ObserveEvent};
use crate::option::{BLOCK2, ETAG};
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Responds as [`respond_observing`](Self::respond_observing) does, and begins an observation that replaces those
    /// of the same peer and resource: their blocks have the same key. The observer must have each message as a whole:
    /// [`ObserveEvent::Delivered`] follows when it has this response, as after a notification, and
    /// [`ObserveEvent::Unfetched`] if it asks for no further block within [`Limits::body_idle`](crate::Limits), or
    /// asks for the resource in another request. One with the same token and Observe 0 replaces the observation.
    pub fn respond_feeding(
        &mut self,
        now: Instant,
        id: ExchangeId,
        response: Message,
    ) -> Option<ObservationId> {
        if self.is_held(id) {
            return None;
        }
        let exchange = self.exchanges.finish(id)?;
        let wanted = exchange.observes && code::class(response.code) == 2;
        let sequence = self.end_replaced(now, &exchange);
        let mut begun = None;
        if wanted {
            let body = &exchange.response_key.body;
            for other in self.observations.feeds_of(body) {
                self.end(now, other, Ended::Replaced);
            }
            begun = self.begin_observation(now, &exchange, sequence);
        }
        if let Some(observation) = begun.and_then(|id| self.observations.get_mut(id)) {
            observation.is_whole = true;
        }
        self.respond_begun(now, id, exchange, response, begun);
        begun
    }

    /// The first response of an observation leaves. If its messages must be whole, waits for its blocks.
    pub(super) fn begin_feed(&mut self, now: Instant, begun: Begun, response: &Message) {
        let Some(observation) = self.observations.get_mut(begun.id) else {
            return;
        };
        if !observation.is_whole {
            return;
        }
        if code::class(response.code) != 2 {
            // It did not fit.
            return self.end(now, begun.id, Ended::Finished);
        }
        if has_more(response) {
            observation.tag = tag_of(response);
            observation.fetch = Fetch::Announced;
            self.observations.on_received(now, begun.id);
        } else {
            self.observations
                .push_event(ObserveEvent::Delivered(begun.id));
        }
    }
}

/// The ETag of a message.
pub(super) fn tag_of(message: &Message) -> Vec<u8> {
    message.option(ETAG).unwrap_or_default().to_vec()
}

/// Whether further blocks follow this message.
pub(super) fn has_more(message: &Message) -> bool {
    let block = message.option(BLOCK2).map(Block::decode);
    block.is_some_and(|block| block.is_ok_and(|block| block.more))
}
