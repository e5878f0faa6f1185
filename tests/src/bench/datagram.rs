//! Requests as the devices of 2021 send them, encoded once and patched per exchange, and the checks of a
//! right response. The generator must cost far less than the gateway that it measures.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};

/// Length of the tokens here, in bytes (RFC 7252 §5.3.1 allows 0 to 8).
pub const TOKEN_LENGTH: usize = 4;

/// The access token in Matrix form (option 256 of MSC3079).
const ACCESS_TOKEN_OPTION: u16 = 256;

/// The version of the integer keys (option 257 of MSC3079).
const KEY_VERSION_OPTION: u16 = 257;

/// Content-Format application/cbor (RFC 8949 §9.5).
const CBOR: u8 = 60;

/// Stands for the transaction ID until an exchange writes its own over it.
const TXN_PLACEHOLDER: &str = "0000000000000000";

/// The right response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The request's own bytes (the baseline).
    Echo,
    /// 2.05 with decimal digits.
    Time,
    /// 2.04 with `{"event_id": "$…"}` in CBOR.
    EventId,
    /// 2.05 with `{1: "$…"}` in CBOR: `event_id` by its integer key.
    EventIdByKey,
    /// 2.04 with `{"queued": "…"}` in CBOR.
    Queued,
    /// Any, in time.
    Any,
}

/// A confirmable request, encoded.
#[derive(Debug, Clone)]
pub struct Request {
    /// The right response to it.
    pub expected: Expected,
    bytes: Vec<u8>,
    txn_at: Option<usize>,
}

impl Request {
    /// `GET /time`.
    pub fn time() -> Self {
        Self::encode(RequestType::Get, "time", Vec::new(), &[], Expected::Time)
    }

    /// `GET` of a path of two segments, with any response.
    pub fn any(rule: &str, resource: &str) -> Self {
        let first = vec![(CoapOption::UriPath, rule.as_bytes().to_vec())];
        Self::encode(RequestType::Get, resource, first, &[], Expected::Any)
    }

    /// The bytes of `GET /time` for a server that gives them back.
    pub fn echo() -> Self {
        Self {
            expected: Expected::Echo,
            ..Self::time()
        }
    }

    /// `PUT /send` with the short Proxy-Uri, the token in option 256 and a text message in CBOR.
    pub fn send(homeserver: &str, room_id: &str, access_token: &str) -> Self {
        let proxy_uri = format!("{homeserver}/9/{room_id}/m.room.message/{TXN_PLACEHOLDER}");
        let options = vec![
            (CoapOption::ContentFormat, vec![CBOR]),
            (CoapOption::ProxyUri, proxy_uri.into_bytes()),
            (
                CoapOption::Unknown(ACCESS_TOKEN_OPTION),
                access_token.as_bytes().to_vec(),
            ),
        ];
        // {"msgtype": "m.text", "body": "22.5 degrees"}
        let payload = b"\xa2\x67msgtype\x66m.text\x64body\x6c22.5 degrees";
        Self::encode(
            RequestType::Put,
            "send",
            options,
            payload,
            Expected::EventId,
        )
    }

    /// The same message as low-bandwidth Matrix (MSC3079) has it: the path by its code, integer keys, the token in
    /// option 256 and the version of the keys in option 257.
    pub fn send_with_keys(room_id: &str, access_token: &str) -> Self {
        let mut options: Vec<_> = ["9", room_id, "m.room.message"]
            .map(|segment| (CoapOption::UriPath, segment.as_bytes().to_vec()))
            .into();
        options.extend([
            (CoapOption::ContentFormat, vec![CBOR]),
            (
                CoapOption::Unknown(ACCESS_TOKEN_OPTION),
                access_token.as_bytes().to_vec(),
            ),
            (CoapOption::Unknown(KEY_VERSION_OPTION), vec![1]),
        ]);
        // {msgtype (28): "m.text", body (27): "22.5 degrees"}
        let payload = b"\xa2\x18\x1c\x66m.text\x18\x1b\x6c22.5 degrees";
        let expected = Expected::EventIdByKey;
        Self::encode(
            RequestType::Put,
            TXN_PLACEHOLDER,
            options,
            payload,
            expected,
        )
    }

    /// The same to a homeserver that is away: the gateway takes the message over.
    pub fn queued(homeserver: &str, room_id: &str, access_token: &str) -> Self {
        Self {
            expected: Expected::Queued,
            ..Self::send(homeserver, room_id, access_token)
        }
    }

    fn encode(
        method: RequestType,
        path: &str,
        options: Vec<(CoapOption, Vec<u8>)>,
        payload: &[u8],
        expected: Expected,
    ) -> Self {
        let mut packet = Packet::new();
        packet.header.set_type(MessageType::Confirmable);
        packet.header.code = MessageClass::Request(method);
        packet.set_token(vec![0; TOKEN_LENGTH]);
        for (option, value) in options {
            packet.add_option(option, value);
        }
        packet.add_option(CoapOption::UriPath, path.as_bytes().to_vec());
        packet.payload = payload.to_vec();
        let bytes = packet
            .to_bytes()
            .expect("a request of known size can be encoded");
        let txn_at = bytes
            .windows(TXN_PLACEHOLDER.len())
            .position(|part| part == TXN_PLACEHOLDER.as_bytes());
        Self {
            expected,
            bytes,
            txn_at,
        }
    }

    /// Writes one exchange's message ID, token and transaction ID, and gives the datagram.
    pub fn patched(&mut self, message_id: u16, token: [u8; TOKEN_LENGTH], txn_id: u64) -> &[u8] {
        self.bytes[2..4].copy_from_slice(&message_id.to_be_bytes());
        self.bytes[4..4 + TOKEN_LENGTH].copy_from_slice(&token);
        if let Some(at) = self.txn_at {
            for digit in 0..TXN_PLACEHOLDER.len() {
                let nibble = (txn_id >> (60 - 4 * digit)) & 0xf;
                self.bytes[at + digit] = b"0123456789abcdef"[nibble as usize];
            }
        }
        &self.bytes
    }

    /// The datagram as last patched: a retransmission sends it again.
    pub fn datagram(&self) -> &[u8] {
        &self.bytes
    }
}

impl Expected {
    /// Whether a response with this code and payload is right.
    ///
    /// # Errors
    /// The wrong response, for the count of errors.
    pub fn check(self, response: &Packet) -> Result<(), String> {
        let (code, payload) = (response.header.get_code(), response.payload.as_slice());
        let right = match self {
            Self::Echo | Self::Any => true,
            Self::Time => {
                code == "2.05" && !payload.is_empty() && payload.iter().all(u8::is_ascii_digit)
            }
            Self::EventId => code == "2.04" && payload.starts_with(b"\xa1\x68event_id"),
            Self::EventIdByKey => code == "2.05" && payload.starts_with(b"\xa1\x01"),
            Self::Queued => code == "2.04" && payload.starts_with(b"\xa1\x66queued"),
        };
        if right {
            return Ok(());
        }
        let text: String = String::from_utf8_lossy(payload).chars().take(80).collect();
        Err(format!("{code} {}", text.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patched_request_differs_only_in_message_id_token_and_transaction() {
        let mut request = Request::send("http://hs:1", "!r:hs", "secret");
        let datagram = request.patched(0x1234, *b"abcd", 0xfeed).to_vec();
        let packet = Packet::from_bytes(&datagram).expect("valid CoAP");
        assert_eq!(packet.header.message_id, 0x1234);
        assert_eq!(packet.get_token(), b"abcd");
        let proxy_uri = packet
            .get_option(CoapOption::ProxyUri)
            .and_then(|values| values.front());
        assert_eq!(
            proxy_uri.map(Vec::as_slice),
            Some(b"http://hs:1/9/!r:hs/m.room.message/000000000000feed".as_slice())
        );
        assert_eq!(request.datagram(), datagram);
    }

    #[test]
    fn a_time_without_digits_is_an_error_that_quotes_the_payload() {
        let mut response = Packet::new();
        response.header.set_code("2.05");
        response.payload = b"1700000000".to_vec();
        assert_eq!(Expected::Time.check(&response), Ok(()));
        response.payload = b"noon".to_vec();
        assert_eq!(Expected::Time.check(&response), Err("2.05 noon".to_owned()));
    }
}
