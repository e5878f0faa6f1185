//! Measurements and log lines of a running gateway, for its operator.

pub mod access_log;
pub(crate) mod address_lines;
pub(crate) mod denied_call;
pub(crate) mod line_shares;
mod log_message;
pub mod logging;
pub mod operator;
pub mod recent_warnings;
pub mod recorder;
pub mod refusal_log;
