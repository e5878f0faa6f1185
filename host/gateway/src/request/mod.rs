//! One exchange: a device's request, the rule that translates it, the homeserver calls that the rule needs, and the
//! response.
//!
//! Read first: [`gateway`], the way of a request. In its order come [`local_authority`], [`routing`], [`admission`],
//! [`rule_execution`], [`reply`] and [`conditions`].

mod access_log_entry;
pub mod admission;
mod conditions;
mod device_rights;
mod device_session;
mod discovery;
mod error;
mod first_block;
mod gateway;
mod held_bytes;
mod homeserver_egress;
mod known_options;
mod local_authority;
mod pending_exchange;
pub mod proxy_uri;
mod recent_file;
mod recent_messages;
mod remembered;
mod remembered_table;
pub mod reply;
mod requested_path;
mod response;
pub mod routing;
mod rule_execution;
mod rule_fault;
mod sent;
mod snapshot;
mod source;
mod stored;
mod txn_id;
mod txn_key;

pub use device_rights::{DeviceRight, DeviceRights};
pub use error::GatewayError;
pub use gateway::Gateway;
pub use homeserver_egress::MAX_HOLD;
pub use local_authority::LocalNames;
pub use pending_exchange::{Dispatch, PendingExchange};
pub use recent_file::RecentFile;
pub(crate) use response::without_observation;
pub use response::{ObserveRequest, Response, SideEffect, StatusRequest};
pub use snapshot::{Snapshot, SnapshotCell};
pub use source::{Request, SecuredSession, Source};
pub use txn_key::TxnKey;
