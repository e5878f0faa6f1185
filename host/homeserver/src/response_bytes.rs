//! How many bytes the responses that are being received may hold, and how many of them those of one host's calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use share::{Amount, Bounds, Owner, Refused, Shares};

use super::limits::UpstreamLimits;

/// Bytes of a response that are not counted: a response to a sent message always fits, so that large responses to one
/// device leave no message without its outcome. The slots bound these bytes.
pub(super) const SMALL: usize = 4 << 10;

/// The account of the responses of all homeservers. A host has an eighth of the room, and room for one largest response
/// at least. Cheap to clone; the clones are the same account.
#[derive(Clone)]
pub struct ResponseBytes(Arc<Mutex<Shares>>);

/// The bytes of one response, given back when it is dropped.
pub(super) struct Receiving<'a> {
    account: &'a ResponseBytes,
    owner: Owner,
    bytes: usize,
}

impl ResponseBytes {
    /// No responses yet.
    #[must_use]
    pub fn new(limits: UpstreamLimits) -> Self {
        let bounds = Bounds::of_bytes(limits.responses).at_least(limits.response);
        Self(Arc::new(Mutex::new(Shares::new(bounds))))
    }

    /// The bytes of all responses that are being received, without small ones.
    #[must_use]
    pub fn in_all(&self) -> usize {
        self.shares().in_all().bytes
    }

    /// A response to a call of this host, without bytes yet.
    pub(super) fn receiving(&self, owner: Owner) -> Receiving<'_> {
        Receiving {
            account: self,
            owner,
            bytes: 0,
        }
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        // Each change is complete before anything in it can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiving<'_> {
    /// The response takes this many bytes from now on; never fewer than before.
    ///
    /// # Errors
    /// [`Refused`]: the host has its share, or all responses have the room. Then it has what it had before.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Refused> {
        if bytes > SMALL && bytes > self.bytes {
            let more = Amount::bytes(bytes - self.bytes);
            self.account.shares().take(self.owner, more)?;
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut shares = self.account.shares();
            shares.give_back(self.owner, Amount::bytes(self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 1 << 20;
    const LIMITS: UpstreamLimits = UpstreamLimits {
        in_flight: 1,
        queued: 1,
        response: LARGEST,
        responses: 4 * LARGEST,
    };

    #[test]
    fn a_host_has_one_largest_response_at_least_and_leaves_room_for_others() {
        let account = ResponseBytes::new(LIMITS);
        let receiving = |host| account.receiving(Owner::new(host, None));
        let (mut first, mut second) = (receiving(1), receiving(1));
        assert_eq!(first.grow_to(LARGEST), Ok(()));
        assert_eq!(second.grow_to(SMALL + 1), Err(Refused::Host));
        assert_eq!(second.grow_to(SMALL), Ok(()), "as a sent message needs");
        let others: Vec<_> = (2..=4)
            .map(|host| {
                let mut response = receiving(host);
                assert_eq!(response.grow_to(LARGEST), Ok(()));
                response
            })
            .collect();
        assert_eq!(receiving(5).grow_to(LARGEST), Err(Refused::InAll));
        drop((first, second, others));
        assert_eq!(account.in_all(), 0);
    }
}
