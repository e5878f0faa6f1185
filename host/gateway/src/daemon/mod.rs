//! The process as its service manager and its system see it.

pub mod heap;
pub mod service_manager;
