//! Exchanges that belong to an observation: with its token, or for the rest of a notification's body.

use std::time::Instant;

use super::transfer::Transfer;
use super::{ClientExchange, Settings};
use crate::message::{Message, Token};

impl ClientExchange {
    /// As [`ClientExchange::new`]; its first message has this token.
    pub(super) fn with_token(
        request: Message,
        settings: Settings,
        seed: [u8; 16],
        (first_message_id, token): (u16, Token),
        now: Instant,
    ) -> Self {
        let (transfer, first) = Transfer::new(request, &settings);
        let mut exchange = Self::idle(transfer, settings, seed, first_message_id, now);
        exchange.send_as(first, token, now);
        exchange
    }

    /// As if `response` had come to this request: gets the blocks that it lacks, if any.
    pub(super) fn after(
        request: Message,
        settings: Settings,
        seed: [u8; 16],
        first_message_id: u16,
        (response, now): (Message, Instant),
    ) -> Self {
        let (transfer, _) = Transfer::new(request, &settings);
        let mut exchange = Self::idle(transfer, settings, seed, first_message_id, now);
        exchange.respond(response, now);
        exchange
    }

    /// Whether a message with this token would be the response that the exchange waits for.
    pub(super) fn awaits(&self, token: Token) -> bool {
        self.outcome.is_none() && self.in_flight.token == token
    }

    /// The token of the request that was sent last.
    pub(super) fn token(&self) -> Token {
        self.in_flight.token
    }
}
