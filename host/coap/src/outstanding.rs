//! The account of own confirmable messages that wait for an acknowledgement or for their turn.

use std::collections::VecDeque;

use crate::message::Token;
use crate::outbound::{Held, Outbound, Purpose, Waiting};
use crate::peer::Peer;
use share::{Amount, Bounds, Shares};

/// Bytes of a message's header, token, option headers and timer.
const OVERHEAD: usize = 192;

/// Messages toward all peers.
pub(super) struct Outstanding {
    count: usize,
    /// Pieces are responses. Bytes are those of all messages.
    shares: Shares,
}

impl Outstanding {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            shares: Shares::new(Bounds::NONE),
        }
    }

    /// Counts a message whose options and payload take this many bytes; its encoding is not longer.
    pub(super) fn hold<P>(
        &mut self,
        peer: &Peer<P>,
        purpose: Purpose,
        token: Token,
        bytes: usize,
    ) -> Held {
        let entries = 2 * (size_of::<(Peer<P>, Outbound)>() + size_of::<Waiting>());
        let held = Held {
            owner: peer.owner,
            token,
            amount: Amount {
                pieces: usize::from(purpose.is_response()),
                bytes: entries + OVERHEAD + bytes,
            },
        };
        self.count += 1;
        self.shares.add(held.owner, held.amount);
        held
    }

    /// The message is acknowledged or dropped.
    pub(super) fn forget(&mut self, held: Held) {
        self.count -= 1;
        self.shares.give_back(held.owner, held.amount);
    }

    /// Drops the messages of this purpose that wait behind another one.
    pub(super) fn drop_waiting(&mut self, waiting: &mut VecDeque<Waiting>, purpose: Purpose) {
        waiting.retain(|one| {
            let stays = one.purpose != purpose;
            if !stays {
                self.forget(one.held);
            }
            stays
        });
    }

    /// Drops the response that has waited for longest.
    pub(super) fn drop_oldest_response(
        &mut self,
        waiting: &mut VecDeque<Waiting>,
    ) -> Option<Purpose> {
        let place = waiting.iter().position(|one| one.purpose.is_response())?;
        let oldest = waiting.remove(place)?;
        self.forget(oldest.held);
        Some(oldest.purpose)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }
}
