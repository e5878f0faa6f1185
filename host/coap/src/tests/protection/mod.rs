//! The place of object security (RFC 8613 §8): after duplicate detection and before options, and after a response is
//! fitted and before it is encoded.

mod associations;
mod double;
mod exchanges;
mod notifications;
