//! Protects the datagrams of a [`coap::client::ClientExchange`], each of whose blocks is a request of its own, and of a
//! [`coap::client::ClientObservation`].

use coap::option::OBSERVE;
use coap::{Datagram, MessageType, Token, code, decode, encode};

use super::client::{ResponseError, SentRequest};
use super::context::{CannotProtect, Context};

/// The request of an exchange that waits for its response: an exchange has one at a time, and an observation its
/// registration besides.
#[derive(Debug, Default)]
pub struct ExchangeProtection {
    last: Option<Last>,
    /// The last request with Observe: its notifications are bound to it (RFC 8613 §4.1.3.5).
    registration: Option<Last>,
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
        for request in [&self.last, &self.registration].into_iter().flatten() {
            if request.plain == plain {
                return Ok(request.protected.clone());
            }
        }
        let Ok(mut datagram) = decode(&plain) else {
            return Ok(plain);
        };
        if !code::is_request(datagram.message.code) {
            return Ok(plain);
        }
        let observes = datagram.message.option(OBSERVE).is_some();
        let sent = context.protect_request(&mut datagram.message)?;
        let protected = encode(&datagram);
        let place = match observes {
            true => &mut self.registration,
            false => &mut self.last,
        };
        *place = Some(Last {
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
        let requests = [&mut self.last, &mut self.registration];
        let mut requests = requests.into_iter().flatten();
        let last = requests.find(|request| request.token == datagram.token);
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
