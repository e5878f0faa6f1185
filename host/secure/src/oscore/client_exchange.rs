//! Protects the datagrams of a [`coap::client::ClientExchange`]: each block is a request of its own.

use coap::{Datagram, MessageType, Token, code, decode, encode};

use super::client::{ResponseError, SentRequest};
use super::context::{CannotProtect, Context};

/// The request of an exchange that waits for its response. An exchange has one at a time.
#[derive(Debug, Default)]
pub struct ExchangeProtection {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    plain: Vec<u8>,
    protected: Vec<u8>,
    token: Token,
    sent: SentRequest,
}

impl ExchangeProtection {
    /// The protection of a new exchange.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The datagram to send in place of one of [`poll_transmit`](coap::client::ClientExchange::poll_transmit). A
    /// retransmission is the same bytes again. Empty messages stay as they are.
    ///
    /// # Errors
    /// See [`CannotProtect`].
    pub fn outgoing(
        &mut self,
        context: &mut Context,
        plain: Vec<u8>,
    ) -> Result<Vec<u8>, CannotProtect> {
        if let Some(last) = self.last.as_ref().filter(|last| last.plain == plain) {
            return Ok(last.protected.clone());
        }
        let Ok(mut datagram) = decode(&plain) else {
            return Ok(plain);
        };
        if !code::is_request(datagram.message.code) {
            return Ok(plain);
        }
        let sent = context.protect_request(&mut datagram.message)?;
        let protected = encode(&datagram);
        self.last = Some(Last {
            plain,
            protected: protected.clone(),
            token: datagram.token,
            sent,
        });
        Ok(protected)
    }

    /// The datagram for [`handle_datagram`](coap::client::ClientExchange::handle_datagram) in place of a received one.
    /// What is no response to the last request stays as it is: the exchange ignores it, or acknowledges it once more.
    ///
    /// # Errors
    /// The response is not accepted, see [`ResponseError`]: ignore the datagram. After
    /// [`ResponseError::NotProtected`] no other response may come, because the server does not have the context.
    pub fn incoming(
        &mut self,
        context: &Context,
        received: &[u8],
    ) -> Result<Vec<u8>, ResponseError> {
        let as_it_is = || Ok(received.to_vec());
        let Ok(mut datagram) = decode(received) else {
            return as_it_is();
        };
        let last = self
            .last
            .as_mut()
            .filter(|last| last.token == datagram.token);
        let Some(last) = last.filter(|_| code::is_response(datagram.message.code)) else {
            return as_it_is();
        };
        match context.unprotect_response(&mut last.sent, &mut datagram.message) {
            Ok(()) => Ok(encode(&datagram)),
            // The acknowledgement of a separate response was lost: the exchange knows its message ID.
            Err(ResponseError::Replay) if datagram.message_type == MessageType::Confirmable => {
                Ok(encode(&Datagram {
                    message: coap::Message::new(datagram.message.code),
                    token: Token::default(),
                    ..datagram
                }))
            }
            Err(error) => Err(error),
        }
    }
}
