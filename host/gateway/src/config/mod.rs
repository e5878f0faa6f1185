//! Configuration: command line and file become one checked value, [`Settings`].

mod admin_place;
pub mod args;
mod coap_settings;
mod coaps;
mod coaps_files;
mod coaps_times;
mod component;
mod device_groups;
mod devices;
mod error;
mod file;
mod fixed;
mod homeservers;
mod limits;
mod listen_address;
mod networks;
mod outbox;
mod rule_args;
mod rule_spec;
mod rules;
mod settings;
mod snapshot;
mod span;

pub use admin_place::Place;
pub use coap_settings::CoapSettings;
pub use coaps::CoapsListen;
pub use component::Component;
pub use error::ConfigError;
pub use fixed::Fixed;
pub use limits::Limits;
pub use rule_spec::RuleSpec;
pub use rules::DEFAULT;
pub use settings::{Settings, default_control_socket};
