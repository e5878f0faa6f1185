//! The database in a real folder on a real disk.

mod committing;
mod damage;
mod faults;
mod full_disk;
mod killed;
mod opening;
mod power_cuts;
mod scratch;
