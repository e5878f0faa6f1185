//! The database in a real folder on a real disk.

mod committing;
mod damage;
mod full_disk;
mod killed;
mod opening;
mod scratch;
