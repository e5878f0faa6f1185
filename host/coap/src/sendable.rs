//! DedupCache of the caller that cannot be sent as they are.

use std::fmt::Debug;
use std::hash::Hash;

use super::code::{self, INTERNAL_SERVER_ERROR};
use super::codec;
use super::endpoint::Endpoint;
use super::message::Message;
use super::option::{BLOCK1, BLOCK2, OBSERVE};

impl<P: Copy + Eq + Hash + Debug> Endpoint<P> {
    /// The response with its options in order; 5.00 where it is no response or above a limit.
    pub(super) fn sendable(&mut self, mut response: Message) -> Message {
        // A rule may have listed its options in any order; blocks and sequence numbers are not its business.
        response
            .options
            .retain(|option| !matches!(option.number, BLOCK1 | BLOCK2 | OBSERVE));
        response.options.sort_by_key(|option| option.number);
        let problem = if !code::is_response(response.code) {
            "the answer made here has no response code; see the gateway's log"
        } else if codec::encoded_length(&response.options) > self.limits.response_options {
            "the options of the answer made here are above the gateway's limit"
        } else if response.payload.len() > self.limits.response_body {
            "the body of the answer made here is above the gateway's limit"
        } else {
            return response;
        };
        self.counters.bad_responses += 1;
        Message::diagnostic(INTERNAL_SERVER_ERROR, problem)
    }
}
