//! Sessions: logins that the gateway remembers for devices that have authenticated themselves. Such a device logs in
//! once, and from then on sends neither an access token nor a Proxy-Uri.
//!
//! A session belongs to the device's name (its principal) and to the homeserver that has issued the token. [`table`]
//! has all of them in memory, [`row`] is the format of the store, and [`remembered`] keeps both one. A rule says that a
//! session begins or ends (`session-change` of the contract), and never sees a stored token.

mod remembered;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use remembered::Moment;
pub use remembered::{SessionCounts, SessionLine, Sessions};
pub(crate) use table::Table;
