//! Settings that a running gateway cannot change: the socket on which it listens, and the places of its files.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::admin_place::Place;
use super::coaps::CoapsListen;
use super::error::ConfigError;
use super::settings::Settings;
use contract::escaping::escaped;

/// Settings that only a restart can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// None with a socket of the service manager, for which `ip` and `port` do not apply.
    listen: Option<SocketAddr>,
    coaps: CoapsListen,
    cache_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    control_socket: Option<PathBuf>,
    admin: Option<Place>,
    multicast: Option<Vec<String>>,
}

impl Fixed {
    /// These settings of a starting gateway. `is_handed_over`: it serves a socket of the service manager.
    #[must_use]
    pub fn of(settings: &Settings, is_handed_over: bool) -> Self {
        Self {
            listen: (!is_handed_over).then_some(settings.listen),
            coaps: settings.coaps,
            cache_dir: settings.cache_dir.clone(),
            state_dir: settings.state_dir.clone(),
            control_socket: settings.control_socket.clone(),
            admin: settings.admin.clone(),
            multicast: settings.coap.multicast.clone(),
        }
    }

    /// Whether a running gateway can apply these settings.
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
        } else if self.coaps != next.coaps {
            ("[coaps] listen", self.coaps.to_string())
        } else if self.cache_dir != next.cache_dir {
            ("cache_dir", shown(&self.cache_dir))
        } else if self.state_dir != next.state_dir {
            ("state_dir", shown(&self.state_dir))
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
            "{setting} was {before} when the gateway started and cannot change while it runs: restart it, or restore \
             the former value"
        )))
    }
}
