//! The place of the contexts in an endpoint.

use std::time::Instant;

use coap::{MessageProtection, Reply};

use super::contexts::{Contexts, Verified};
use super::key::TAG_BYTES;

/// Bytes that a protected response is longer: the option with its longest Partial IV (2 + 6), the code inside (1), a
/// payload marker (1), the tag, Observe once more inside (1) and a longer delta outside (1).
const OVERHEAD: usize = 2 + 6 + 1 + 1 + TAG_BYTES + 1 + 1;

impl<P> MessageProtection<P> for Contexts {
    type Context = Verified;

    fn association(&self, verified: &Verified) -> u64 {
        verified.context.0
    }

    fn unprotect(
        &mut self,
        now: Instant,
        _: &P,
        request: &mut coap::Message,
    ) -> Result<Option<Verified>, coap::Message> {
        Contexts::unprotect(self, now, request).map_err(|refused| refused.response)
    }

    fn protect(
        &mut self,
        now: Instant,
        _: &P,
        verified: &Verified,
        reply: Reply,
        message: &mut coap::Message,
    ) -> Result<(), coap::CannotProtect> {
        Contexts::protect(self, now, verified, reply, message).map_err(|_| coap::CannotProtect)
    }

    fn overhead(&self, _: &Verified) -> usize {
        OVERHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap::option::{OBSERVE, OSCORE};
    use coap::{Datagram, Message, MessageType, Token, code, encode};

    #[test]
    fn no_response_grows_by_more_than_the_overhead() {
        let length = |message: &Message| {
            let datagram = Datagram {
                message_type: MessageType::NonConfirmable,
                message_id: 0,
                token: Token::default(),
                message: message.clone(),
            };
            encode(&datagram).len()
        };
        for number in [1, 12, 14, 18, 23, 258, 300] {
            for observe in [None, Some(0), Some(0x00ff_ffff)] {
                for payload in ["", "payload"] {
                    let mut plain = Message::new(code::CONTENT).with_payload(payload);
                    let mut inner = plain.clone();
                    plain.push_option(number, "x");
                    inner.push_option(number, "x");
                    if let Some(observe) = observe {
                        plain.push_uint_option(OBSERVE, observe);
                        inner.push_option(OBSERVE, []);
                    }
                    let mut outer =
                        Message::new(code::CONTENT).with_option(OSCORE, [5, 1, 2, 3, 4, 5]);
                    if let Some(observe) = observe {
                        outer.push_uint_option(OBSERVE, observe);
                    }
                    outer.payload = vec![0; length(&inner) - 3 + TAG_BYTES];
                    let grown = length(&outer) - length(&plain);
                    assert!(grown <= OVERHEAD, "{number} {observe:?}: {grown}");
                }
            }
        }
    }
}
