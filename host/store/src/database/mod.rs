//! Records that outlive the process and power cuts: one file in a private folder, one thread that owns it.
//!
//! [`open`] checks the folder and the file, at the start, and gives [`Records`]: they are read there and then. Then
//! [`Database::start`] gives them to a thread of their own, so that whoever commits waits without blocking. The thread
//! commits all that has come meanwhile at once: sixty-four devices at a time cost one wait for the disk.

mod batch;
mod damaged;
mod error;
mod failure;
mod handle;
mod opening;
mod owner;
mod private_folder;
mod records;
mod schema;
mod state_folder;
mod statements;

pub use batch::{Batch, Durability, Space};
pub use error::{OpenError, ReadError, WriteError};
pub use handle::Database;
pub use opening::{Opened, open};
#[cfg(any(test, feature = "simulation"))]
pub use owner::Owner;
pub use records::Records;
pub use state_folder::state_folder;
