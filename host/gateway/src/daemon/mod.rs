//! The gateway as a process: its memory, and its service manager.

pub mod code;
pub mod heap;
pub mod service_manager;
