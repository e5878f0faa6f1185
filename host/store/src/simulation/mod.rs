//! For tests: a disk in memory that loses power, and the database on it.
//!
//! The database is driven without a thread and without a clock, so that one seed is one run:
//!
//! ```
//! use comatrix_store::database::{Batch, Durability, Space};
//! use comatrix_store::simulation::Disk;
//!
//! let disk = Disk::new();
//! let mut records = disk.open()?;
//! let mut batch = Batch::new();
//! batch.put(Space::Waiting, 1, b"accepted".to_vec());
//! disk.cut_at_sync(0);
//! let outcome = records.apply([&batch], Durability::PowerCut);
//! assert!(outcome.is_err());
//! drop(records);
//! disk.restart(42);
//! assert_eq!(disk.open()?.read(Space::Waiting, 1)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dice;
mod disk;
mod file;
mod machine;
mod open_file;
mod registry;
mod vfs;

pub use dice::Dice;
pub use disk::Disk;
#[cfg(test)]
pub(crate) use vfs::NAME;
