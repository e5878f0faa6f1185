//! What happens to an endpoint, as bytes: so that a fuzzer can change it, and a program can write seeds.
//!
//! A step is four bytes, `kind peer high low`, and for a datagram as many bytes as `high low` says.

use std::time::Duration;

/// Peers; few, so that their datagrams meet.
pub const PEERS: u8 = 4;

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A datagram arrives.
    Datagram(u8, &'a [u8]),
    /// Time passes: up to 11 minutes, beyond every lifetime.
    Wait(Duration),
    /// The caller responds to its oldest request with this code and so many bytes.
    Respond(u8, usize),
}

/// Reads steps until the bytes end.
pub fn read(mut bytes: &[u8]) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        let [kind, peer, high, low, rest @ ..] = bytes else {
            return None;
        };
        let number = usize::from(u16::from_be_bytes([*high, *low]));
        bytes = rest;
        Some(match kind % 4 {
            0 | 1 => {
                let (datagram, rest) = rest.split_at(number.min(rest.len()));
                bytes = rest;
                Step::Datagram(peer % PEERS, datagram)
            }
            2 => Step::Wait(Duration::from_millis(10 * number as u64)),
            _ => Step::Respond(*peer, number),
        })
    })
}

/// Writes one step behind others.
pub fn write(bytes: &mut Vec<u8>, step: &Step<'_>) {
    let (kind, peer, number, datagram): (u8, u8, usize, &[u8]) = match *step {
        Step::Datagram(peer, datagram) => (0, peer, datagram.len(), datagram),
        Step::Wait(duration) => (2, 0, duration.as_millis() as usize / 10, &[]),
        Step::Respond(code, length) => (3, code, length, &[]),
    };
    let [high, low] = u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
    bytes.extend([kind, peer, high, low]);
    bytes.extend_from_slice(datagram);
}
