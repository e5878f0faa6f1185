//! Checks the caller's responses and notifications before they are fitted.

use crate::code::{self, INTERNAL_SERVER_ERROR};
use crate::codec;
use crate::endpoint::Endpoint;
use crate::message::Message;
use crate::option::{BLOCK1, BLOCK2, OBSERVE};
use crate::option_bounds::MAX_OPTIONS;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// Most options of the caller's response. The endpoint may add Block1, Block2, Size2, ETag and Observe, and the client
/// must be able to read the result.
const MOST_OPTIONS: usize = MAX_OPTIONS - 5;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// The response with its options in order; 5.00 if it is no response or above a limit.
    pub(super) fn sendable(&mut self, mut response: Message) -> Message {
        // The caller may list options in any order. The endpoint sets blocks and sequence numbers itself.
        response
            .options
            .retain(|option| !matches!(option.number, BLOCK1 | BLOCK2 | OBSERVE));
        response.options.sort_by_key(|option| option.number);
        let problem = if !code::is_response(response.code) {
            "the server made a response without a response code"
        } else if response.options.len() > MOST_OPTIONS {
            "the response has more options than a client reads"
        } else if codec::encoded_length(&response.options) > self.limits.response_options {
            "the options of the response are above the limit of the server"
        } else if response.payload.len() > self.limits.response_body {
            "the body of the response is above the limit of the server"
        } else {
            return response;
        };
        self.counters.bad_responses += 1;
        Message::diagnostic(INTERNAL_SERVER_ERROR, problem)
    }
}
