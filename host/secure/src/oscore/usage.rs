//! How often the keys of a context may be used (draft-ietf-core-oscore-key-limits, for AES-CCM-16-64-128).
//!
//! - q, messages that the gateway encrypts: 2^20. What the ciphertexts tell stays below 2^-70.
//! - v, messages that do not decrypt: 2^20. A forger's chance is 2^-44. The draft recommends 2^14 for 2^-50, but then
//!   whoever sees a `kid` could end the context of its device within seconds; with 2^20 it takes a million datagrams.
//! - l, blocks of a message: 2^8, which is 4,096 bytes. An endpoint's message has 1,024 and its options.
//!
//! Counting costs nothing on the wire. The counts are stored with the sequence numbers, in blocks too: a restart counts
//! a block as used, and a write is due for 256 messages, or for 4,096 forged ones.

/// q.
pub(super) const MOST_SEALED: u32 = 1 << 20;
/// v.
pub(super) const MOST_FAILED: u32 = 1 << 20;
/// No request is accepted when fewer messages are left than this: those in progress still get their responses.
const RESERVE: u32 = 1 << 10;
/// Encrypted messages of one write.
const SEALED_BLOCK: u32 = 256;
/// Forged messages of one write: whoever sends them must not wear out a memory card.
const FAILED_BLOCK: u32 = 4_096;

/// How often the keys of a context have been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Messages encrypted.
    pub sealed: u32,
    /// Messages that did not decrypt.
    pub failed: u32,
}

/// The keys of a context have been used as often as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the keys of the security context have been used as often as they may; rotate the key of the device, or let it run \
     EDHOC again"
)]
pub struct Spent;

/// The counts of one context.
#[derive(Debug, Default)]
pub(super) struct Usage {
    used: Used,
    /// What the store has, or gets now: above `used`, so that none is lost by a restart.
    reserved: Used,
}

impl Usage {
    /// Goes on with what the store has.
    pub(super) fn resume(used: Used) -> Self {
        Self {
            used,
            reserved: used,
        }
    }

    /// Counts a message that is encrypted now.
    pub(super) fn seal(&mut self) -> Result<(), Spent> {
        if self.used.sealed >= MOST_SEALED {
            return Err(Spent);
        }
        self.used.sealed += 1;
        Ok(())
    }

    /// Counts a message that did not decrypt.
    pub(super) fn fail(&mut self) {
        self.used.failed = self.used.failed.saturating_add(1);
    }

    /// Whether requests may be accepted.
    ///
    /// # Errors
    /// They may not, now and after each restart.
    pub(super) fn check(&self) -> Result<(), Spent> {
        let is_spent = self.used.sealed >= MOST_SEALED - RESERVE || self.used.failed >= MOST_FAILED;
        if is_spent { Err(Spent) } else { Ok(()) }
    }

    /// Whether the store has to get higher counts.
    pub(super) fn is_due(&self) -> bool {
        self.used.sealed > self.reserved.sealed || self.used.failed > self.reserved.failed
    }

    /// The counts for the store. They hold until they are reached.
    pub(super) fn reserve(&mut self) {
        self.reserved = Used {
            sealed: self.used.sealed.saturating_add(SEALED_BLOCK),
            failed: self.used.failed.saturating_add(FAILED_BLOCK),
        };
    }

    pub(super) fn reserved(&self) -> Used {
        self.reserved
    }
}
