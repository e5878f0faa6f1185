//! Bounds of observations, apart from those of the endpoint.

use std::time::Duration;

/// Notifications queued for a device, with the one that it has not acknowledged. Of more, the oldest are passed over: a
/// device that is 32 messages behind needs the latest (RFC 7641 §1.3).
pub(super) const MAX_QUEUED: usize = 32;
/// Bytes of these notifications: eight of the largest. Of more, the oldest are passed over too.
pub(super) const MAX_QUEUED_BYTES_OF_OBSERVER: usize = 128 << 10;
/// Bytes of all changes and notifications that wait or are kept to be sent again: 10,000 observers have 1.6 KB each,
/// and a change counts once for all its observers.
pub(super) const MAX_QUEUED_BYTES: usize = if cfg!(feature = "router") {
    4 << 20
} else {
    16 << 20
};
/// Bytes of a topic or share: a room and a device's name fit.
pub(super) const MAX_TOPIC: usize = 512;
/// Changes that a poll keeps for devices whose request is still in progress: those of a busy second.
pub(super) const MAX_RECENT: usize = 64;
/// How long it keeps them: longer than an exchange with a long poll of its own takes.
pub(super) const RECENT_LIFETIME: Duration = Duration::from_secs(150);
/// Bytes of a first response that is kept to be sent again.
pub(super) const MAX_RETAINED_RESPONSE: usize = 4 << 10;
/// The shortest time between two polls of one account: a homeserver that does not hold polls must not get them without
/// a pause, and a message may take a second.
pub(super) const MIN_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Consecutive unreadable responses (too large, or too much for the rule) before a poll gives up: the same response
/// would come again and again.
pub(super) const MAX_UNREADABLE: u32 = 3;
/// Consecutive responses that are discarded because a topic has joined since the request. After a power cut, devices
/// join for longer than that, and the observers that are there must get their notifications.
pub(super) const MAX_DISCARDED: u32 = 10;
/// How long a poll collects new topics before it repeats its request with them: after a power cut, all devices register
/// at once.
pub(super) const JOIN_DELAY: Duration = Duration::from_millis(100);
/// Notifications that the former revision makes per turn of the event loop when a rule is replaced. Each is a call of
/// the rule; together they take less than a millisecond.
pub(super) const RENDERED_PER_TURN: usize = 64;
/// The next attempt for a rule that has used its computing time.
pub(super) const COMPUTE_PAUSE: Duration = Duration::from_millis(50);
/// Max-Age of a last notification with 5.03: seconds after which the device registers again.
pub(super) const RETRY_AFTER: u32 = 5;
