//! Bounds of observations that are not the endpoint's and not an operator's.

use std::time::Duration;

/// Changes that wait for a device: 32 messages that nobody has acknowledged are more than a device will catch up with. It
/// is told to begin anew.
pub(super) const MAX_WAITING: usize = 32;
/// Bytes of a topic: a room and a device's name in it.
pub(super) const MAX_TOPIC: usize = 512;
/// Bytes of a change: a message that a constrained device can take in blocks.
pub(super) const MAX_CHANGE: usize = 16 << 10;
/// Changes of one poll: several times what a rule asks a homeserver for.
pub(super) const MAX_CHANGES: usize = 1024;
/// Changes that a poll remembers for devices whose request is still under way: those of a busy second.
pub(super) const MAX_RECENT: usize = 64;
/// How long it does: longer than an exchange with a long poll of its own takes.
pub(super) const RECENT: Duration = Duration::from_secs(150);
/// Bytes of a first answer that is kept to be sent again. All observations together keep no more than 40 MB.
pub(super) const MAX_KEPT: usize = 4 << 10;
/// The least time between two polls of one account: a homeserver that does not wait must not be asked without pause,
/// and a second is what a message may take.
pub(super) const LEAST_INTERVAL: Duration = Duration::from_millis(200);
/// Answers in a row that cannot be read before a poll gives up: too large, or too much for the rule. The same would come
/// again and again.
pub(super) const MAX_UNREAD: u32 = 3;
/// Answers in a row that are asked for again because a topic has joined meanwhile: a power cut's worth of devices joins for
/// longer, and those that are there already must hear of their rooms.
pub(super) const MAX_PASSED_OVER: u32 = 10;
/// How long new topics are gathered before a poll that lacks them is made anew: after a power cut, all devices come at once.
pub(super) const GATHERING: Duration = Duration::from_millis(100);
/// Notifications put into words at once when a rule is replaced, a rule's call each: less than a millisecond.
pub(super) const WORDS_PER_TURN: usize = 64;
/// While a rule has used what it may compute.
pub(super) const BREATH: Duration = Duration::from_millis(50);
/// Seconds after which a device whose observation has ended comes back.
pub(super) const COME_BACK: u32 = 5;
