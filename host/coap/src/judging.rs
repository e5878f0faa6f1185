//! The judgement of a request with the first block of its body, before its device sends the rest: what is refused for
//! its options need not be sent whole.

use std::collections::VecDeque;

use crate::block::Block;
use crate::code;
use crate::endpoint::Endpoint;
use crate::exchange::{Ack, RequestMeta};
use crate::first_block::FirstBlock;
use crate::message::Message;
use crate::option::BLOCK1;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// From now on the caller judges first blocks: it polls [`poll_first_block`](Self::poll_first_block) after each
    /// datagram. Without this call the endpoint accepts all of them.
    pub fn judge_first_blocks(&mut self) {
        self.first_blocks.get_or_insert_with(VecDeque::new);
    }

    /// The next first block to judge.
    pub fn poll_first_block(&mut self) -> Option<FirstBlock<P, X::Context>> {
        self.first_blocks.as_mut()?.pop_front()
    }

    /// The device may send the rest.
    pub fn continue_body(&mut self, first: FirstBlock<P, X::Context>) {
        self.send_continue(&first.meta, first.block);
    }

    /// Refuses the request with this error response, and drops its block.
    pub fn refuse_body(&mut self, first: FirstBlock<P, X::Context>, response: Message) {
        let FirstBlock { meta, key, .. } = first;
        self.block1.bodies.remove(&key);
        let response = self.sendable(response);
        self.refuse(&meta, response);
    }

    /// Sends 2.31. Its size asks for smaller blocks if those of the device are larger than this endpoint's (RFC 7959
    /// §2.3).
    pub(super) fn send_continue(&mut self, meta: &RequestMeta<P, X::Context>, block: Block) {
        let size_exponent = block.size_exponent.min(self.limits.block_size_exponent);
        let block = Block {
            size_exponent,
            ..block
        };
        let response = Message::new(code::CONTINUE).with_option(BLOCK1, block.encode());
        self.send_response(meta.received_at, meta, Ack::Due, response, true);
    }
}
