//! The attacks. Each is one example of its kind.

use super::encoding::{Writer, message};
use crate::device::option;

/// Message types of RFC 7252 §3.
const CON: u8 = 0;
const NON: u8 = 1;
const ACK: u8 = 2;
const RST: u8 = 3;
/// Methods.
const GET: u8 = 1;
const PUT: u8 = 3;
const ROOM: &str = "!abuse:h";
/// Blocks of 1,024 bytes of the largest body.
const BLOCKS: u32 = 116;

/// What a hostile host sends.
pub struct Attack {
    /// Its name, for people.
    pub name: &'static str,
    /// Ports of the host that it sends from, in turn.
    pub ports: u32,
    /// Whether the host responds to nothing, as if its address were forged: what it gets counts as amplification.
    pub is_forged: bool,
    /// The datagram of this number.
    pub datagram: fn(u32) -> Vec<u8>,
}

/// All attacks.
pub const ATTACKS: [Attack; 13] = [
    attack("32,000 options of one byte", 10, true, |count| {
        request(NON, GET, count)
            .option(4, b"e")
            .repeated(31_999, Some(b'e'))
            .path("getmsg")
            .end()
    }),
    attack("60,000 empty elective options", 1, false, |count| {
        request(CON, GET, count)
            .path("time")
            .option(2076, b"")
            .repeated(59_999, None)
            .end()
    }),
    attack(
        "60,000 options in the last block of a body",
        8,
        false,
        |count| {
            let block = count / 8 % (BLOCKS + 1);
            let writer = Writer::new(CON, PUT, (count / 8) as u16, 7)
                .path("send")
                .cbor()
                .block1(block, block < BLOCKS, 6);
            match block < BLOCKS {
                true => writer.payload(&[0x80; 1024]),
                false => writer
                    .option(2076, b"")
                    .repeated(59_999, None)
                    .payload(b"x"),
            }
        },
    ),
    attack("dense bodies of 60 kB", 4, false, |count| {
        request(NON, PUT, count)
            .path("send")
            .cbor()
            .payload(&[0x80; 60_000])
    }),
    attack("messages with the device's rights", 16, false, |count| {
        let text = format!("hostile message number {count:08}");
        request(NON, PUT, count)
            .path(&format!("send/{ROOM}"))
            .cbor()
            .option(option::ACCESS_TOKEN, b"hostile")
            .payload(&message(&text))
    }),
    attack("observations of many ports", 625, false, |count| {
        request(NON, GET, count)
            .option(option::OBSERVE, b"")
            .path(&format!("getmsg/{ROOM}"))
            .option(option::ACCESS_TOKEN, b"hostile")
            .end()
    }),
    attack("a critical option in 5 bytes", 1, false, |count| {
        let [high, low] = (count as u16).to_be_bytes();
        vec![0x40, GET, high, low, 0x90]
    }),
    attack("first blocks of bodies", 1, false, |count| {
        request(CON, PUT, count)
            .path("send")
            .cbor()
            .block1(0, true, 0)
            .option(option::REQUEST_TAG, &count.to_be_bytes())
            .payload(&[0x80; 16])
    }),
    attack(
        "guesses of message IDs from a forged address",
        1,
        true,
        |count| {
            let [high, low] = (count.wrapping_mul(40_503) as u16).to_be_bytes();
            match count % 10 {
                0 => request(CON, GET, count).path(".well-known/core").end(),
                1..6 => vec![0x40 | RST << 4, 0, high, low],
                _ => vec![0x40 | ACK << 4, 0, high, low],
            }
        },
    ),
    attack(
        "requests for large responses from a forged address",
        1,
        true,
        |count| request(NON, GET, count).path(".well-known/core").end(),
    ),
    attack("small requests", 1, false, |count| {
        request(NON, GET, count).path("time").end()
    }),
    attack("confirmable requests of many ports", 2000, false, |count| {
        request(CON, GET, count).path("time").end()
    }),
    attack("malformed datagrams", 100, true, |count| {
        let [high, low] = (count as u16).to_be_bytes();
        vec![0x49, GET, high, low]
    }),
];

const fn attack(
    name: &'static str,
    ports: u32,
    is_forged: bool,
    datagram: fn(u32) -> Vec<u8>,
) -> Attack {
    Attack {
        name,
        ports,
        is_forged,
        datagram,
    }
}

fn request(message_type: u8, method: u8, count: u32) -> Writer {
    Writer::new(message_type, method, count as u16, (count >> 4) as u16)
}
