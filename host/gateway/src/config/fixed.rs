//! What holds until the gateway ends: the socket it listens on, and where its files are.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::admin_place::Place;
use super::error::ConfigError;
use super::settings::Settings;
use contract::escaping::escaped;

/// Settings that only a restart can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// None where the service manager's socket is served, for which `ip` and `port` do not count.
    listen: Option<SocketAddr>,
    cache_dir: Option<PathBuf>,
    control_socket: Option<PathBuf>,
    admin: Option<Place>,
    multicast: Option<Vec<String>>,
}

impl Fixed {
    /// Those of a gateway that starts. `is_handed_over`: it serves a socket of the service manager's.
    #[must_use]
    pub fn of(settings: &Settings, is_handed_over: bool) -> Self {
        Self {
            listen: (!is_handed_over).then_some(settings.listen),
            cache_dir: settings.cache_dir.clone(),
            control_socket: settings.control_socket.clone(),
            admin: settings.admin.clone(),
            multicast: settings.coap.multicast.clone(),
        }
    }

    /// Whether a running gateway can take these settings.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first setting that differs.
    pub fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        let next = Self::of(settings, self.listen.is_none());
        let port = |fixed: &Self| fixed.listen.map(|listen| listen.port());
        let ip = |fixed: &Self| {
            let mut listen = fixed.listen?;
            listen.set_port(0);
            Some(listen)
        };
        let shown = |path: &Option<PathBuf>| {
            path.as_ref().map_or_else(
                || "none".to_owned(),
                |path| escaped(&path.display().to_string(), 200),
            )
        };
        let before = if ip(self) != ip(&next) {
            let before = ip(self).map(|listen| listen.ip().to_string());
            ("ip", before.unwrap_or_default())
        } else if port(self) != port(&next) {
            let before = port(self).map(|port| port.to_string());
            ("port", before.unwrap_or_default())
        } else if self.multicast != next.multicast {
            let before = match &self.multicast {
                None => "off".to_owned(),
                Some(interfaces) if interfaces.is_empty() => "on all interfaces".to_owned(),
                Some(interfaces) => escaped(&interfaces.join(", "), 200),
            };
            ("[coap] multicast or multicast_interfaces", before)
        } else if self.cache_dir != next.cache_dir {
            ("cache_dir", shown(&self.cache_dir))
        } else if self.control_socket != next.control_socket {
            ("control_socket", shown(&self.control_socket))
        } else if self.admin != next.admin {
            let before = self.admin.as_ref().map(ToString::to_string);
            ("admin", before.unwrap_or_else(|| "none".to_owned()))
        } else {
            return Ok(());
        };
        let (setting, before) = before;
        Err(ConfigError(format!(
            "{setting} differs from what the gateway was started with ({before}) and cannot change while it runs: restart it, or put the former value back"
        )))
    }
}
