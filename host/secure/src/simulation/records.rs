//! Every DTLS record that has left encrypted, as somebody on the network sees it. Reads record headers by itself.

use std::collections::HashMap;

/// Who has encrypted: each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Writer {
    /// The session with this number of a device.
    Device(usize, u64),
    /// A session of the gateway since a start.
    Gateway(u64, u64),
}

/// Bytes of a record's header, and of the explicit part of the nonce after it (RFC 6655 §3).
const HEADER: usize = 13;
const EXPLICIT: usize = 8;

/// The type of alerts (RFC 5246 §6.2.1).
pub(super) const ALERT: u8 = 21;

#[derive(Default)]
pub(super) struct Records {
    seen: HashMap<(Writer, Vec<u8>), Vec<u8>>,
}

impl Records {
    /// The same bytes may leave again: a repetition.
    pub(super) fn record(&mut self, writer: Writer, datagram: &[u8]) {
        let mut rest = datagram;
        while rest.len() >= HEADER {
            let length = usize::from(u16::from_be_bytes([rest[11], rest[12]]));
            let (record, next) = rest.split_at(HEADER + length);
            rest = next;
            if record[3..5] == [0, 0] {
                continue;
            }
            let nonce = record[HEADER..HEADER + EXPLICIT].to_vec();
            let before = self
                .seen
                .entry((writer, nonce.clone()))
                .or_insert_with(|| record.to_vec());
            assert_eq!(before, record, "{writer:?}: {nonce:?} left with two texts");
        }
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }
}
