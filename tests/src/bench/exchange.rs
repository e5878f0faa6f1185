//! One confirmable exchange as a client sees it, without socket or clock: RFC 7252 §4.2 (retransmission), §5.2.1
//! (piggybacked) and §5.2.2 (separate response).

use std::time::{Duration, Instant};

use coap_lite::{MessageClass, MessageType, Packet};

use super::datagram::{Expected, TOKEN_LENGTH};

/// ACK_TIMEOUT, and with ACK_RANDOM_FACTOR 1.5 the spread above it (RFC 7252 §4.8).
const ACK_TIMEOUT: Duration = Duration::from_secs(2);
const ACK_SPREAD: Duration = Duration::from_secs(1);

/// MAX_RETRANSMIT (RFC 7252 §4.8).
const MAX_RETRANSMIT: u32 = 4;

/// How long a client waits for the separate response after the empty acknowledgement. The gateway responds with 5.04
/// after 10 s at the latest, so anything later is lost.
const SEPARATE_RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// An exchange under way.
#[derive(Debug)]
pub struct Exchange {
    /// When its request was due: latency counts from here.
    pub started: Instant,
    message_id: u16,
    token: [u8; TOKEN_LENGTH],
    acknowledged: bool,
    retransmissions: u32,
    timeout: Duration,
    deadline: Instant,
}

/// The effect of a datagram on the exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// The request has arrived; the response comes separately.
    Acknowledged,
    /// The exchange is over. A confirmable response is to be acknowledged with these bytes.
    Finished(Result<(), String>, Option<[u8; 4]>),
    /// It belongs to no exchange under way; if confirmable, it is acknowledged all the same, since it can only be
    /// the repeat of a response whose acknowledgement was lost.
    Stray(Option<[u8; 4]>),
}

/// The effect of time on the exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Elapsed {
    /// Nothing yet.
    Waiting,
    /// Send the request again.
    Retransmit,
    /// The exchange has failed.
    Lost,
}

impl Exchange {
    /// A request sent at `now` and due at `started`. `spread` (0 to 1) is the client's random part of the first
    /// timeout.
    pub fn begin(
        message_id: u16,
        token: [u8; TOKEN_LENGTH],
        started: Instant,
        now: Instant,
        spread: f64,
    ) -> Self {
        let timeout = ACK_TIMEOUT + ACK_SPREAD.mul_f64(spread);
        Self {
            started,
            message_id,
            token,
            acknowledged: false,
            retransmissions: 0,
            timeout,
            deadline: now + timeout,
        }
    }

    /// Takes a datagram from the server.
    pub fn received(
        &mut self,
        datagram: &[u8],
        request: &[u8],
        expected: Expected,
        now: Instant,
    ) -> Received {
        if expected == Expected::Echo {
            return if datagram == request {
                Received::Finished(Ok(()), None)
            } else {
                Received::Stray(None)
            };
        }
        let Ok(response) = Packet::from_bytes(datagram) else {
            return Received::Finished(Err("a datagram that is no CoAP".to_owned()), None);
        };
        let same_message_id = response.header.message_id == self.message_id;
        let same_token = response.get_token() == self.token;
        let empty = response.header.code == MessageClass::Empty;
        match response.header.get_type() {
            MessageType::Acknowledgement if empty && same_message_id => {
                self.acknowledged = true;
                self.deadline = now + SEPARATE_RESPONSE_TIMEOUT;
                Received::Acknowledged
            }
            MessageType::Acknowledgement if same_message_id && same_token => {
                Received::Finished(expected.check(&response), None)
            }
            MessageType::Reset if same_message_id => {
                Received::Finished(Err("Reset".to_owned()), None)
            }
            MessageType::Confirmable => {
                let acknowledgement = Some(acknowledgement(response.header.message_id));
                if same_token {
                    Received::Finished(expected.check(&response), acknowledgement)
                } else {
                    Received::Stray(acknowledgement)
                }
            }
            MessageType::NonConfirmable if same_token => {
                Received::Finished(expected.check(&response), None)
            }
            _ => Received::Stray(None),
        }
    }

    /// Looks at the clock.
    pub fn elapsed(&mut self, now: Instant) -> Elapsed {
        if now < self.deadline {
            Elapsed::Waiting
        } else if self.acknowledged || self.retransmissions == MAX_RETRANSMIT {
            Elapsed::Lost
        } else {
            self.retransmissions += 1;
            self.timeout *= 2;
            self.deadline = now + self.timeout;
            Elapsed::Retransmit
        }
    }
}

/// An empty acknowledgement (RFC 7252 §4.2).
fn acknowledgement(message_id: u16) -> [u8; 4] {
    let [high, low] = message_id.to_be_bytes();
    [0x60, 0x00, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: [u8; TOKEN_LENGTH] = *b"tokn";

    fn exchange(now: Instant) -> Exchange {
        Exchange::begin(7, TOKEN, now, now, 0.5)
    }

    /// 2.05 with payload `1`, of this type, message ID and token.
    fn response(first: u8, message_id: u8, token: &[u8; 4]) -> Vec<u8> {
        [
            &[first | 4, 0x45, 0, message_id],
            token.as_slice(),
            &[0xff, b'1'],
        ]
        .concat()
    }

    #[test]
    fn a_piggybacked_response_ends_the_exchange() {
        let now = Instant::now();
        let received = exchange(now).received(&response(0x60, 7, &TOKEN), &[], Expected::Time, now);
        assert_eq!(received, Received::Finished(Ok(()), None));
    }

    #[test]
    fn a_separate_response_follows_an_empty_acknowledgement_and_is_acknowledged() {
        let now = Instant::now();
        let mut exchange = exchange(now);
        let received = exchange.received(&[0x60, 0, 0, 7], &[], Expected::Time, now);
        assert_eq!(received, Received::Acknowledged);
        assert_eq!(
            exchange.elapsed(now + Duration::from_secs(9)),
            Elapsed::Waiting
        );
        let received = exchange.received(&response(0x40, 99, &TOKEN), &[], Expected::Time, now);
        assert_eq!(received, Received::Finished(Ok(()), Some([0x60, 0, 0, 99])));
    }

    #[test]
    fn a_response_of_another_exchange_is_a_stray() {
        let now = Instant::now();
        let received = exchange(now).received(&response(0x60, 8, &TOKEN), &[], Expected::Time, now);
        assert_eq!(received, Received::Stray(None));
        let received =
            exchange(now).received(&response(0x40, 9, b"else"), &[], Expected::Time, now);
        assert_eq!(received, Received::Stray(Some([0x60, 0, 0, 9])));
    }

    #[test]
    fn silence_leads_to_four_retransmissions_with_doubled_timeouts_and_then_to_loss() {
        let start = Instant::now();
        let mut exchange = exchange(start);
        let mut at = start;
        for timeout in [2.5, 5.0, 10.0, 20.0] {
            at += Duration::from_secs_f64(timeout);
            assert_eq!(
                exchange.elapsed(at - Duration::from_millis(1)),
                Elapsed::Waiting
            );
            assert_eq!(exchange.elapsed(at), Elapsed::Retransmit);
        }
        assert_eq!(
            exchange.elapsed(at + Duration::from_secs(40)),
            Elapsed::Lost
        );
    }
}
