//! How much one host, one network and all hosts may hold.

use std::fmt;

use crate::amount::{Amount, Held};

/// Part of a room that one host or network may take by default: the eighth. Seven that take theirs leave room for
/// others, and a host with hundreds of devices behind it, such as a gateway of another network, still has enough.
const PART: usize = 8;

/// A bound at each level, in pieces or in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Of one host.
    pub host: usize,
    /// Of one network.
    pub network: usize,
    /// Of all.
    pub in_all: usize,
}

impl Bound {
    /// No bound.
    pub const NONE: Self = Self {
        host: usize::MAX,
        network: usize::MAX,
        in_all: usize::MAX,
    };

    /// A room of this size, an eighth of it for each host and each network; at least one of it, if it has any.
    pub const fn eighth(in_all: usize) -> Self {
        let part = if in_all < PART && in_all > 0 {
            1
        } else {
            in_all / PART
        };
        Self {
            host: part,
            network: part,
            in_all,
        }
    }

    /// The same, but a host may take this much: the largest piece, or what one peer of a host may take by a bound of
    /// its own.
    #[must_use]
    pub fn at_least(self, least: usize) -> Self {
        let raised = |bound: usize| bound.max(least).min(self.in_all);
        Self {
            host: raised(self.host),
            network: raised(self.network),
            in_all: self.in_all,
        }
    }

    fn refuses(&self, [host, network, in_all]: [usize; 3], more: usize) -> Option<Refused> {
        let is_above = |held: usize, bound| held.saturating_add(more) > bound;
        // The room first: then it is full for everybody, and to blame one host would mislead the operator.
        if is_above(in_all, self.in_all) {
            Some(Refused::InAll)
        } else if is_above(host, self.host) {
            Some(Refused::Host)
        } else {
            is_above(network, self.network).then_some(Refused::Network)
        }
    }
}

/// The bounds of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Of pieces.
    pub pieces: Bound,
    /// Of bytes.
    pub bytes: Bound,
}

impl Bounds {
    /// No bounds: the account only counts.
    pub const NONE: Self = Self {
        pieces: Bound::NONE,
        bytes: Bound::NONE,
    };

    /// A room for this many pieces, an eighth of it for each host.
    pub const fn of_pieces(in_all: usize) -> Self {
        Self {
            pieces: Bound::eighth(in_all),
            bytes: Bound::NONE,
        }
    }

    /// A room for this many bytes, an eighth of it for each host.
    pub const fn of_bytes(in_all: usize) -> Self {
        Self {
            pieces: Bound::NONE,
            bytes: Bound::eighth(in_all),
        }
    }

    /// See [`Bound::at_least`]; applies to pieces and bytes, as far as they are bounded.
    #[must_use]
    pub fn at_least(self, least: usize) -> Self {
        Self {
            pieces: self.pieces.at_least(least),
            bytes: self.bytes.at_least(least),
        }
    }

    /// Whether one who holds `held` may take `more`.
    ///
    /// # Errors
    /// The level that has no room.
    pub fn admit(&self, held: Held, more: Amount) -> Result<(), Refused> {
        let of = |part: fn(Amount) -> usize| [held.host, held.network, held.in_all].map(part);
        let pieces = self.pieces.refuses(of(|amount| amount.pieces), more.pieces);
        let refused = pieces.or_else(|| self.bytes.refuses(of(|amount| amount.bytes), more.bytes));
        refused.map_or(Ok(()), Err)
    }

    /// Whether a host or a network that holds this much is above its share.
    pub(crate) fn is_over(&self, held: Amount, of: fn(&Bound) -> usize) -> bool {
        held.pieces > of(&self.pieces) || held.bytes > of(&self.bytes)
    }
}

/// The level that has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The host has its share.
    Host,
    /// The host's network has its share.
    Network,
    /// The room is full.
    InAll,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Host => "the host has taken its share; try again when some of it is given back",
            Self::Network => {
                "the hosts of the network have taken its share; try again when some of it is given back"
            }
            Self::InAll => "there is no room left for any host; try again later",
        })
    }
}

impl std::error::Error for Refused {}
