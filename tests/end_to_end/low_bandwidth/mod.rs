//! Low-bandwidth Matrix (MSC3079) by the rule `msc3079`: what devices and libraries that know nothing of CoMatrix do.

mod faults;
mod media;
mod nio;
mod observing;
mod stage;
