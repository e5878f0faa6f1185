//! The parts of the gateway that read what strangers send, compiled by themselves: as a dependency the whole gateway would come
//! with its compiler of WebAssembly, and fuzzing would begin after a quarter of an hour.

#[path = "../../../host/src/coap/mod.rs"]
pub mod coap;
pub mod exchange;
#[path = "../../../host/src/path_segment.rs"]
pub mod path_segment;
pub mod steps;

/// Stands for the gateway's runtime of rules.
pub mod rule {
    /// As in `wit/types.wit`.
    #[derive(Debug)]
    pub struct Target {
        /// Decoded segments.
        pub path: Vec<String>,
        /// Decoded pairs.
        pub query: Vec<(String, String)>,
    }
}
