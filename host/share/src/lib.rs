//! What one host may take of a bounded room that all hosts share: at most an eighth of it, unless its bounds say
//! otherwise. So one host that means harm, or is out of order, leaves room for the others.
//!
//! A *room* is anything bounded: places in a table, bytes of a cache. [`Shares`] is the account of one room: how many
//! pieces and bytes each [`Owner`] holds. [`Bounds`] limit them at three levels:
//!
//! | level | default | why |
//! | --- | --- | --- |
//! | in all | the size of the room | memory is finite |
//! | per host: an IPv4 or IPv6 address, without its port | an eighth | a host has 65,536 ports |
//! | per network: an IPv6 /64 | an eighth | a host with IPv6 has 2^64 addresses |
//!
//! A caller that does not distinguish networks leaves [`Owner::network`] out. Seven hosts that take their whole share
//! leave an eighth to the others. A room in which one piece may be larger than an eighth has bounds of
//! [`at_least`](Bounds::at_least) one piece.
//!
//! There are two kinds of use:
//!
//! | the pieces | function | above a bound |
//! | --- | --- | --- |
//! | must stay until they are done: exchanges, observations | [`Shares::take`] | the newcomer is refused |
//! | may be dropped: caches | [`Shares::add`], then drop while the room is full | [`Shares::over`] loses first |
//!
//! An owner is named by a hash. The caller makes it with a secret key, so that a host cannot choose an owner's name
//! that collides with another's. An account holds owners that hold something, so its size is bounded by the room's. To
//! take and to give back is one look-up, two for an owner with a network, and allocates only when the table grows.
//!
//! ```
//! use comatrix_share::{Amount, Bounds, Owner, Refused, Shares};
//!
//! // 80 places; each host gets ten of them.
//! let mut places = Shares::new(Bounds::of_pieces(80));
//! let (flooding, other) = (Owner::new(1, None), Owner::new(2, None));
//! let taken = (0..100).filter(|_| places.take(flooding, Amount::piece(0)).is_ok()).count();
//! assert_eq!(taken, 10);
//! assert_eq!(places.take(flooding, Amount::piece(0)), Err(Refused::Host));
//! assert_eq!(places.take(other, Amount::piece(0)), Ok(()));
//! places.give_back(flooding, Amount::piece(0));
//! assert_eq!(places.held(flooding).host.pieces, 9);
//! ```

mod amount;
mod bounds;
mod owner;
mod shares;
mod spread;
mod table;

pub use amount::{Amount, Held};
pub use bounds::{Bound, Bounds, Refused};
pub use owner::Owner;
pub use shares::Shares;
