//! Every nonce that has left, as somebody on the network sees it. Reads the OSCORE option by itself.

use std::collections::HashMap;

use coap::option::OSCORE;
use coap::{Datagram, Token};

/// Who has encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Device,
    Gateway,
}

/// The `kid` of the device, the key, whose number it is, and the Partial IV.
type Nonce = (Vec<u8>, Key, Key, Vec<u8>);

/// What left with each nonce, and `kid` and Partial IV of each request by its token.
#[derive(Default)]
pub(crate) struct Nonces {
    seen: HashMap<Nonce, Vec<u8>>,
    requests: HashMap<Token, (Vec<u8>, Vec<u8>)>,
    pub(crate) own_of_gateway: usize,
}

impl Nonces {
    /// The keys are others from now on.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
        self.requests.clear();
    }

    /// A request arrives, perhaps with another token than it left with.
    pub(crate) fn arrive(&mut self, request: &Datagram) {
        if let Some(Some(iv)) = own_number(request) {
            let value = request.message.option(OSCORE).unwrap_or_default();
            let kid = value[1 + iv.len()..].to_vec();
            self.requests.entry(request.token).or_insert((kid, iv));
        }
    }

    /// Records a datagram that leaves. The same bytes may leave again: a retransmission.
    pub(crate) fn record(&mut self, key: Key, datagram: &Datagram) {
        let Some(own) = own_number(datagram) else {
            return;
        };
        if key == Key::Device {
            self.requests.remove(&datagram.token);
            self.arrive(datagram);
        }
        let request = self.requests.get(&datagram.token);
        let (kid, of_request) = request.expect("it has a request").clone();
        let nonce = match (key, own) {
            (_, None) => (kid, key, Key::Device, of_request),
            (key, Some(own)) => {
                self.own_of_gateway += usize::from(key == Key::Gateway);
                (kid, key, key, own)
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

/// The Partial IV of a protected message, if it has one of its own.
fn own_number(datagram: &Datagram) -> Option<Option<Vec<u8>>> {
    let value = datagram.message.option(OSCORE)?;
    let length = value.first().map_or(0, |flags| usize::from(flags & 7));
    Some((length > 0).then(|| value.get(1..=length).unwrap_or_default().to_vec()))
}
