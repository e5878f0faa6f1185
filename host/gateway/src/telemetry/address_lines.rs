//! Log lines of which each address gets one an hour: what the operator should know of a device, and once is enough.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use share::{Amount, Bounds, Owner, Shares};

/// Lines in the last hour. A network that was moved or renumbered has its devices among them.
const MAX_LINES: usize = 256;
/// A line of each kind for each address in this time: the operator sees what is wrong today, and flash memory is not
/// worn.
const SILENCE: Duration = Duration::from_secs(3600);

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Notice {
    /// The device sent no access token and may not use the gateway's: it gets 4.01, and the operator learns which
    /// setting would let it in.
    NoToken,
    /// The device sent another request under a message ID that is still in use.
    ReusedMessageId,
    /// A handshake or a protected request was refused. The number stands for the reason, which has a text of its own.
    Secured(u64),
    /// The device sent another message under the transaction id of one that is remembered.
    ReusedTransaction,
}

impl Notice {
    fn text(self) -> &'static str {
        match self {
            Self::Secured(_) => "was refused",
            Self::NoToken => {
                "sent no access token and got 4.01: if it may use the gateway's, add its address or network to \
                 token_peers, or set token = true in its [device.NAME] if it has a key; else it must send one in \
                 option 256, or log in if it has a key"
            }
            Self::ReusedTransaction => {
                "sent another message with a transaction id that it has used before: its counter has begun again; both \
                 are sent, but let it keep its counter, or leave the transaction id out"
            }
            Self::ReusedMessageId => {
                "used a message ID again for another request: it has restarted; let it begin with a random message ID \
                 (RFC 7252 §4.4), or a message with the same bytes counts as sent before"
            }
        }
    }
}

/// The lines of the last hour.
#[derive(Default)]
pub(crate) struct AddressLines(RefCell<Logged>);

struct Logged {
    lines: HashSet<(Notice, IpAddr)>,
    in_order: VecDeque<(Instant, (Notice, IpAddr), Owner)>,
    shares: Shares,
    /// Lines for which there was no room.
    left_out: u64,
}

impl Default for Logged {
    fn default() -> Self {
        Self {
            lines: HashSet::new(),
            in_order: VecDeque::new(),
            shares: Shares::new(Bounds::of_pieces(MAX_LINES)),
            left_out: 0,
        }
    }
}

impl AddressLines {
    /// Logs this of the address, unless it has had that line within the hour.
    pub(crate) fn log(&self, now: Instant, notice: Notice, address: IpAddr, owner: Owner) {
        self.log_text(now, notice, address, owner, notice.text());
    }

    /// The same with another text than that of the notice.
    pub(crate) fn log_text(
        &self,
        now: Instant,
        notice: Notice,
        address: IpAddr,
        owner: Owner,
        text: &str,
    ) {
        let line = (notice, address.to_canonical());
        let Some(left_out) = self.0.borrow_mut().admit(now, line, owner) else {
            return;
        };
        let others = match left_out {
            0 => String::new(),
            count => format!("; {count} requests of other addresses had no line"),
        };
        tracing::info!("{} {text}{others}", line.1);
    }
}

impl Logged {
    /// How many lines were left out since the last one; none if this is one more.
    fn admit(&mut self, now: Instant, line: (Notice, IpAddr), owner: Owner) -> Option<u64> {
        while let Some((_, line, owner)) =
            self.in_order.pop_front_if(|(at, ..)| *at + SILENCE <= now)
        {
            self.lines.remove(&line);
            self.shares.give_back(owner, Amount::piece(0));
        }
        if self.lines.contains(&line) {
            return None;
        }
        if self.shares.take(owner, Amount::piece(0)).is_err() {
            self.left_out += 1;
            return None;
        }
        self.lines.insert(line);
        self.in_order.push_back((now, line, owner));
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> (Notice, IpAddr) {
        (Notice::NoToken, IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn an_address_has_one_line_an_hour() {
        let (mut logged, start) = (Logged::default(), Instant::now());
        let owner = Owner::new(1, None);
        let times = [0, 1, 3599, 3600, 3601, 7200].map(Duration::from_secs);
        let admitted = times.map(|time| logged.admit(start + time, address(1), owner).is_some());
        assert_eq!(admitted, [true, false, false, true, false, true]);
        assert_eq!(logged.lines.len(), 1);
        let other = (Notice::ReusedMessageId, address(1).1);
        assert!(
            logged.admit(start, other, owner).is_some(),
            "of another kind"
        );
    }

    #[test]
    fn a_network_takes_an_eighth_of_the_lines_and_the_rest_is_counted() {
        let (mut logged, now) = (Logged::default(), Instant::now());
        let hopping = |number: u32| Owner::new(number.into(), Some(7));
        let taken = (0..1000).filter(|number| {
            let admitted = logged.admit(now, address(*number), hopping(*number));
            admitted.is_some()
        });
        assert_eq!(taken.count(), MAX_LINES / 8);
        let other = logged.admit(now, address(2000), Owner::new(2000, None));
        assert_eq!(other, Some(1000 - MAX_LINES as u64 / 8));
        let later = now + SILENCE;
        assert_eq!(logged.admit(later, address(0), hopping(0)), Some(0));
        assert_eq!((logged.lines.len(), logged.in_order.len()), (1, 1));
    }
}
