//! One hostile host beside honest devices: each attack against the real gateway over the loopback address, bounded in
//! datagrams, bytes and time. Addresses of 127.0.0.0/8 stand for hosts.

mod attacker;
pub mod attacks;
pub mod encoding;
mod honest;
mod report;
mod run;

pub use attacks::{ATTACKS, Attack};
pub use honest::exchange;
pub use report::Report;
pub use run::{Pace, run};
