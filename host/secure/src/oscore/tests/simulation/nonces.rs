//! Every nonce that has left, as somebody on the network sees it. Reads the OSCORE option by itself.

use std::collections::HashMap;

use coap::option::OSCORE;
use coap::{Datagram, Token};

/// Who has encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Device,
    Gateway,
}

/// The key, whose number it is, and the Partial IV.
type Nonce = (Key, Key, Vec<u8>);

/// What left with each nonce, and the Partial IV of each request by its token.
#[derive(Default)]
pub(super) struct Nonces {
    seen: HashMap<Nonce, Vec<u8>>,
    requests: HashMap<Token, Vec<u8>>,
    pub(super) own_of_gateway: usize,
}

impl Nonces {
    /// The keys are others from now on.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.requests.clear();
    }

    /// Records a datagram. The same bytes may leave again: a retransmission.
    pub(super) fn record(&mut self, key: Key, datagram: &Datagram) {
        let Some(value) = datagram.message.option(OSCORE) else {
            return;
        };
        let length = value.first().map_or(0, |flags| usize::from(flags & 7));
        let own = (length > 0).then(|| value[1..=length].to_vec());
        let nonce = match (key, own) {
            (Key::Device, own) => {
                let own = own.expect("a request has a Partial IV");
                self.requests.insert(datagram.token, own.clone());
                (key, key, own)
            }
            (Key::Gateway, Some(own)) => {
                self.own_of_gateway += 1;
                (key, key, own)
            }
            (Key::Gateway, None) => {
                let of_request = self.requests.get(&datagram.token);
                (
                    key,
                    Key::Device,
                    of_request.expect("it has a request").clone(),
                )
            }
        };
        let text = &datagram.message.payload;
        let before = self
            .seen
            .entry(nonce.clone())
            .or_insert_with(|| text.clone());
        assert_eq!(before, text, "{nonce:?} left with two texts");
    }
}
