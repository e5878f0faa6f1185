//! The sessions in memory, and their bounds.

use std::collections::HashMap;
use std::sync::Arc;

use contract::secret::AccessToken;
use url::Url;

/// Sessions of one device: one for each homeserver that it speaks to. Its longest login ago makes room.
const MOST_OF_DEVICE: usize = 4;
/// Bytes in all: 20,000 sessions with a usual token, two for each device that can be enrolled; routers have a quarter.
const MOST_BYTES: usize = if cfg!(feature = "router") {
    2 << 20
} else {
    8 << 20
};
/// What a session takes besides its texts, about.
const OVERHEAD: usize = 256;
/// Bytes of a user's id (Matrix 1.13, Appendices, §4.2.1).
const MAX_USER: usize = 255;
/// Bytes of an origin: a host name has at most 253.
const MAX_ORIGIN: usize = 512;

/// A session. It cannot be printed.
pub(super) struct Kept {
    /// The key of its record. Later logins have higher ones.
    pub(super) number: u64,
    /// The homeserver that has issued the token.
    pub(super) origin: Url,
    /// The id of its user.
    pub(super) user: Arc<str>,
    pub(super) token: AccessToken,
    /// Seconds since 1970; none if the clock was not set.
    pub(super) opened: Option<u64>,
}

impl Kept {
    fn bytes(&self, principal: &str) -> usize {
        let origin = self.origin.as_str().len();
        OVERHEAD + principal.len() + origin + self.user.len() + self.token.length()
    }
}

/// There is no room for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotKept {
    /// All devices together have as many as fit.
    #[error(
        "the sessions of all devices have {MOST_BYTES} bytes, the most allowed; `comatrix-gateway devices remove` \
         makes room"
    )]
    Full,
    /// Its homeserver made it.
    #[error("its user or its homeserver has a name that is too long")]
    TooLong,
}

/// All sessions, by the names of their devices.
#[derive(Default)]
pub(crate) struct Table {
    of_device: HashMap<Arc<str>, Vec<Kept>>,
    bytes: usize,
    /// The highest number of a record.
    last: u64,
}

impl Table {
    /// Adds a session of the store. They come by ascending number.
    pub(super) fn restore(&mut self, principal: Arc<str>, kept: Kept) {
        self.last = self.last.max(kept.number);
        self.bytes += kept.bytes(&principal);
        self.of_device.entry(principal).or_default().push(kept);
    }

    /// The number of a record that cannot be read.
    pub(super) fn skip(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    /// The number for a new session.
    pub(super) fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// Adds a new session. Returns those that it replaces: that of the same homeserver, or the oldest of too many.
    ///
    /// # Errors
    /// [`NotKept`]; nothing has changed.
    pub(super) fn open(&mut self, principal: &Arc<str>, kept: Kept) -> Result<Vec<u64>, NotKept> {
        if kept.user.len() > MAX_USER || kept.origin.as_str().len() > MAX_ORIGIN {
            return Err(NotKept::TooLong);
        }
        let before = self.of(principal);
        let same = before.iter().position(|one| one.origin == kept.origin);
        let replaced = same.or((before.len() >= MOST_OF_DEVICE).then_some(0));
        let freed = replaced.map_or(0, |place| before[place].bytes(principal));
        let bytes = self.bytes - freed + kept.bytes(principal);
        if bytes > MOST_BYTES {
            return Err(NotKept::Full);
        }
        self.bytes = bytes;
        self.last = self.last.max(kept.number);
        let sessions = self.of_device.entry(principal.clone()).or_default();
        let replaced = replaced.map(|place| sessions.remove(place).number);
        sessions.push(kept);
        Ok(replaced.into_iter().collect())
    }

    /// The sessions of a device, that of its last login last.
    pub(super) fn of(&self, principal: &str) -> &[Kept] {
        self.of_device.get(principal).map_or(&[], Vec::as_slice)
    }

    /// Forgets the session of a device at a homeserver if it has this token. Returns its number.
    pub(super) fn forget(
        &mut self,
        principal: &str,
        origin: &str,
        token: &AccessToken,
    ) -> Option<u64> {
        let sessions = self.of_device.get_mut(principal)?;
        let place = sessions
            .iter()
            .position(|one| one.origin.as_str() == origin && one.token.is(token))?;
        let kept = sessions.remove(place);
        if sessions.is_empty() {
            self.of_device.remove(principal);
        }
        self.bytes -= kept.bytes(principal);
        Some(kept.number)
    }

    /// Forgets all sessions of a device. Returns their numbers.
    pub(super) fn forget_device(&mut self, principal: &str) -> Vec<u64> {
        let sessions = self.of_device.remove(principal).unwrap_or_default();
        let bytes: usize = sessions.iter().map(|kept| kept.bytes(principal)).sum();
        self.bytes -= bytes;
        sessions.iter().map(|kept| kept.number).collect()
    }

    /// Forgets all sessions of the devices that do not stay. Returns their numbers.
    pub(super) fn forget_others(&mut self, stays: impl Fn(&str) -> bool) -> Vec<u64> {
        let names = self.of_device.keys().filter(|name| !stays(name));
        let leaving: Vec<Arc<str>> = names.cloned().collect();
        let forgotten = leaving.iter().map(|name| self.forget_device(name));
        forgotten.flatten().collect()
    }

    /// Sessions, and the bytes that they take.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.of_device.values().map(Vec::len).sum(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str) -> Url {
        Url::parse(&format!("https://{host}")).unwrap()
    }

    fn token(text: &str) -> AccessToken {
        AccessToken::parse(text.as_bytes()).unwrap()
    }

    fn open(
        table: &mut Table,
        principal: &str,
        host: &str,
        text: &str,
    ) -> Result<Vec<u64>, NotKept> {
        let kept = Kept {
            number: table.next_number(),
            origin: origin(host),
            user: "@u:h".into(),
            token: token(text),
            opened: None,
        };
        table.open(&principal.into(), kept)
    }

    fn tokens(table: &Table, principal: &str) -> Vec<[u8; 32]> {
        let sessions = table.of(principal).iter();
        sessions.map(|kept| kept.token.digest()).collect()
    }

    #[test]
    fn a_later_login_replaces_that_of_the_same_homeserver_and_is_the_last_one() {
        let mut table = Table::default();
        assert_eq!(open(&mut table, "kitchen", "a", "1"), Ok(vec![]));
        assert_eq!(open(&mut table, "kitchen", "b", "2"), Ok(vec![]));
        assert_eq!(open(&mut table, "kitchen", "a", "3"), Ok(vec![1]));
        let expected = [token("2").digest(), token("3").digest()];
        assert_eq!(tokens(&table, "kitchen"), expected);
        assert!(tokens(&table, "roof").is_empty());
    }

    #[test]
    fn only_the_session_with_the_token_is_forgotten_and_nothing_of_it_remains() {
        let mut table = Table::default();
        open(&mut table, "kitchen", "a", "1").unwrap();
        assert_eq!(
            table.forget("kitchen", origin("a").as_str(), &token("0")),
            None
        );
        assert_eq!(
            table.forget("kitchen", origin("b").as_str(), &token("1")),
            None
        );
        assert_eq!(
            table.forget("roof", origin("a").as_str(), &token("1")),
            None
        );
        assert_eq!(
            table.forget("kitchen", origin("a").as_str(), &token("1")),
            Some(1)
        );
        assert_eq!((table.size(), table.of_device.len()), ((0, 0), 0));
        open(&mut table, "kitchen", "a", "1").unwrap();
        open(&mut table, "kitchen", "b", "1").unwrap();
        assert_eq!(
            table.forget_device("kitchen"),
            [2, 3],
            "no number comes again"
        );
        assert_eq!((table.size(), table.of_device.len()), ((0, 0), 0));
    }

    #[test]
    fn a_device_has_four_and_all_of_them_have_a_bound_in_bytes() {
        let mut table = Table::default();
        for number in 0..6 {
            let replaced = open(&mut table, "kitchen", &format!("h{number}"), "t").unwrap();
            assert_eq!(replaced.len(), usize::from(number >= MOST_OF_DEVICE));
        }
        assert_eq!(table.of("kitchen").len(), MOST_OF_DEVICE);
        let long = "t".repeat(1024);
        let full = (0..).find(|number| {
            open(&mut table, &format!("device{number}"), "h", &long) == Err(NotKept::Full)
        });
        let (count, bytes) = table.size();
        assert!(full.is_some_and(|full| full > 1_000), "{full:?}");
        assert!(bytes <= MOST_BYTES && bytes + 2048 > MOST_BYTES, "{bytes}");
        // A device that has one can log in again.
        assert_eq!(
            open(&mut table, "device3", "h", &long).map(|of| of.len()),
            Ok(1)
        );
        assert_eq!(table.size(), (count, bytes));
    }

    #[test]
    fn names_that_are_too_long_are_not_kept() {
        let mut table = Table::default();
        let kept = Kept {
            number: 1,
            origin: origin("h"),
            user: "@".repeat(MAX_USER + 1).into(),
            token: token("t"),
            opened: None,
        };
        assert_eq!(table.open(&"kitchen".into(), kept), Err(NotKept::TooLong));
        assert_eq!(table.size(), (0, 0));
    }
}
