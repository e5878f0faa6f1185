//! One request of a device until its response, with its blocks.

use std::time::{Duration, Instant};

use super::device::first;
use super::errand::Errand;
use super::table::Stack;
use crate::block::Block;
use crate::code::{self, CONTINUE};
use crate::option::{BLOCK1, BLOCK2};
use crate::{Datagram, Message, MessageType, Token, encode};

/// ACK_TIMEOUT with the mean of ACK_RANDOM_FACTOR (RFC 7252 §4.8).
const ACK_TIMEOUT: Duration = Duration::from_millis(2_500);
const MAX_RETRANSMIT: u32 = 4;
/// How long a device waits for a separate response.
const SEPARATE_WAIT: Duration = Duration::from_secs(100);

/// The end of a request.
pub(super) struct Step {
    pub(super) errand: Errand,
    /// The payload of the request, all its blocks together.
    pub(super) sent: Vec<u8>,
    /// The response; with its whole body if the stack fetches the rest.
    pub(super) response: Message,
    pub(super) is_whole: bool,
}

pub(super) struct Current {
    errand: Errand,
    pub(super) is_registration: bool,
    /// Without block options.
    request: Message,
    pub(super) message_id: u16,
    pub(super) token: Token,
    pub(super) bytes: Vec<u8>,
    pub(super) due: Instant,
    wait: Duration,
    retransmissions: u32,
    is_acknowledged: bool,
    /// Bytes of the body that the server has.
    uploaded: usize,
    fetched: Vec<u8>,
    is_whole: bool,
}

impl Current {
    pub(super) fn new(
        errand: Errand,
        number: u32,
        stack: &Stack,
        message_id: u16,
        token: Token,
        now: Instant,
    ) -> Self {
        let request = errand.request(number);
        let mut first_request = request.clone();
        if let Some(size) = stack.block2 {
            first_request.push_option(BLOCK2, first(size).encode());
        }
        let mut current = Self::registering(request, message_id, token, now);
        (current.errand, current.is_registration) = (errand, false);
        let first_request = current.block(first_request, stack);
        current.begin(first_request, message_id, token, now);
        current
    }

    pub(super) fn registering(
        request: Message,
        message_id: u16,
        token: Token,
        now: Instant,
    ) -> Self {
        let mut current = Self {
            errand: Errand::Read,
            is_registration: true,
            request: request.clone(),
            message_id,
            token,
            bytes: Vec::new(),
            due: now,
            wait: ACK_TIMEOUT,
            retransmissions: 0,
            is_acknowledged: false,
            uploaded: 0,
            fetched: Vec::new(),
            is_whole: true,
        };
        current.begin(request, message_id, token, now);
        current
    }

    /// Sends a request of this exchange.
    pub(super) fn begin(&mut self, request: Message, message_id: u16, token: Token, now: Instant) {
        (self.message_id, self.token) = (message_id, token);
        self.bytes = encode(&Datagram {
            message_type: MessageType::Confirmable,
            message_id,
            token,
            message: request,
        });
        (self.wait, self.due) = (ACK_TIMEOUT, now + ACK_TIMEOUT);
        (self.retransmissions, self.is_acknowledged) = (0, false);
    }

    /// The request with the next block of its body only, if it is an upload.
    fn block(&self, mut request: Message, stack: &Stack) -> Message {
        let Some(size_exponent) = stack.block1.filter(|_| self.errand == Errand::Upload) else {
            return request;
        };
        let size = 16 << size_exponent;
        let rest = &self.request.payload[self.uploaded..];
        let block = Block {
            number: (self.uploaded / size) as u32,
            more: rest.len() > size,
            size_exponent,
        };
        request.payload = rest[..rest.len().min(size)].to_vec();
        request.push_option(BLOCK1, block.encode());
        request
    }

    /// The bytes to send again; none if the device gives up.
    pub(super) fn retransmit(&mut self, now: Instant, retransmits: bool) -> Option<Vec<u8>> {
        if !retransmits || self.is_acknowledged || self.retransmissions == MAX_RETRANSMIT {
            return None;
        }
        self.retransmissions += 1;
        self.wait *= 2;
        self.due = now + self.wait;
        Some(self.bytes.clone())
    }

    /// The empty ACK has come.
    pub(super) fn wait(&mut self, now: Instant) {
        if !self.is_acknowledged {
            self.is_acknowledged = true;
            self.due = now + SEPARATE_WAIT;
        }
    }

    /// Takes a response; the next request for a block, if one follows.
    pub(super) fn proceed(&mut self, response: &Message, stack: &Stack) -> Option<Message> {
        if response.code == CONTINUE {
            let size = 16 << stack.block1.unwrap_or_default();
            self.uploaded += size;
            return Some(self.block(self.request.clone(), stack));
        }
        if code::class(response.code) != 2 {
            return None;
        }
        let block = Block::decode(response.option(BLOCK2)?).expect("a valid block");
        if self.fetched.len() != block.offset() {
            return None;
        }
        self.fetched.extend_from_slice(&response.payload);
        self.is_whole = !block.more;
        if !block.more || !stack.fetches {
            return None;
        }
        let mut next = self.request.clone();
        next.payload = Vec::new();
        let block = Block {
            number: block.number + 1,
            more: false,
            ..block
        };
        next.push_option(BLOCK2, block.encode());
        Some(next)
    }

    pub(super) fn outcome(self, mut response: Message, stack: &Stack) -> Step {
        if !self.fetched.is_empty() {
            response.payload = self.fetched;
        }
        Step {
            errand: self.errand,
            sent: self.request.payload,
            response,
            is_whole: self.is_whole || !stack.fetches,
        }
    }
}
