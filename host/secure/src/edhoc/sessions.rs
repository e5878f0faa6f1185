//! Handshakes between message_2 and message_3.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use coap::Host;
use share::{Amount, Bounds, Owner, Shares};
use zeroize::Zeroizing;

use crate::oscore::Identifier;

/// Pending handshakes, about 400 bytes each. A device takes a few round trips for one, so that a thousand devices can
/// begin within minutes after a power cut.
pub(super) const MOST: usize = 64;
/// Those of addresses that are not proven: a flood of forged ones leaves the other half to devices that prove theirs.
pub(super) const MOST_UNPROVEN: usize = MOST / 2;
/// Those of one host and of one network: an eighth would be few for the devices of a site behind one address.
const MOST_OF_HOST: usize = 16;
/// A small processor computes a few seconds for message_3, and repeats it within 45 s (RFC 7252 §4.8.2).
const LIFETIME: Duration = Duration::from_secs(60);

/// What the gateway has to remember of a handshake. `Debug` would print secrets.
pub(super) struct Session {
    pub(super) c_i: Identifier,
    /// The ephemeral private key.
    pub(super) y: Zeroizing<[u8; 32]>,
    pub(super) prk_3e2m: Zeroizing<[u8; 32]>,
    pub(super) th_3: [u8; 32],
    /// Where message_1 came from. Nobody else ends the handshake by a wrong message_3.
    pub(super) host: Option<Host>,
}

struct Entry {
    session: Session,
    owner: Owner,
    is_proven: bool,
    expires: Instant,
}

/// Whether there is room for a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// For addresses that are proven.
    AfterProof,
    None,
}

/// All pending handshakes, by C_R.
pub(super) struct Sessions {
    by_c_r: HashMap<Identifier, Entry>,
    shares: Shares,
    unproven: usize,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            by_c_r: HashMap::new(),
            shares: Shares::new(Bounds::of_pieces(MOST).at_least(MOST_OF_HOST)),
            unproven: 0,
        }
    }

    /// Whether there is room for one more. Those that are overdue end.
    pub(super) fn room(&mut self, now: Instant, owner: Owner, is_proven: bool) -> Room {
        self.expire(now);
        if self.shares.admit(owner, Amount::piece(0)).is_err() {
            Room::None
        } else if !is_proven && self.unproven >= MOST_UNPROVEN {
            Room::AfterProof
        } else {
            Room::Free
        }
    }

    /// Adds a handshake, for which there is room. `c_r` is not in use.
    pub(super) fn add(
        &mut self,
        now: Instant,
        c_r: Identifier,
        (owner, is_proven): (Owner, bool),
        session: Session,
    ) {
        self.shares.add(owner, Amount::piece(0));
        self.unproven += usize::from(!is_proven);
        let entry = Entry {
            session,
            owner,
            is_proven,
            expires: now + LIFETIME,
        };
        let former = self.by_c_r.insert(c_r, entry);
        debug_assert!(former.is_none());
    }

    /// Whether a handshake has this identifier.
    pub(super) fn has(&self, c_r: Identifier) -> bool {
        self.by_c_r.contains_key(&c_r)
    }

    /// Ends a handshake of this host: its message_3 has come. A message_3 is processed once, right or wrong (RFC 9528
    /// §5.4.3).
    pub(super) fn take(
        &mut self,
        now: Instant,
        c_r: Identifier,
        host: Option<Host>,
    ) -> Option<Session> {
        self.expire(now);
        self.by_c_r
            .get(&c_r)
            .filter(|entry| entry.session.host == host)?;
        self.remove(c_r)
    }

    fn expire(&mut self, now: Instant) {
        let overdue = |(c_r, entry): (&Identifier, &Entry)| (entry.expires <= now).then_some(*c_r);
        let overdue: Vec<_> = self.by_c_r.iter().filter_map(overdue).collect();
        for c_r in overdue {
            self.remove(c_r);
        }
    }

    fn remove(&mut self, c_r: Identifier) -> Option<Session> {
        let entry = self.by_c_r.remove(&c_r)?;
        self.shares.give_back(entry.owner, Amount::piece(0));
        self.unproven -= usize::from(!entry.is_proven);
        Some(entry.session)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_c_r.len()
    }
}
