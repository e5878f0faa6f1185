//! Low-bandwidth Matrix (MSC3079) by the rule `msc3079`: what devices and libraries that know nothing of CoMatrix do.

mod acknowledging;
mod faults;
mod large_syncs;
mod media;
mod nio;
mod notifications;
mod observing;
mod stage;
mod timeline;
