//! Opens the state folder: messages that wait for their homeserver, and enrolled devices.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gateway::coaps_socket::CoapsSocket;
use gateway::config::Settings;
use gateway::devices::{Devices, ReadDevices};
use gateway::outbox::{Deliveries, Restored as RestoredMessages};
use gateway::request::SnapshotCell;
use gateway::telemetry::operator;
use store::database::{OpenError, Opened, Records, open};

use crate::start_error::StartError;

/// What the state folder has.
pub struct Restored {
    /// Messages.
    pub deliveries: Deliveries,
    /// Devices.
    pub devices: Devices,
}

/// What is in the state folder. None without a usable folder: then the gateway serves as one that keeps nothing,
/// and the log says so. Nobody reaches a gateway that does not start.
///
/// # Errors
/// [`StartError::Configuration`]: the folder is another gateway's, another user's, open to others, or a newer
/// gateway's. To start without it would leave the messages in it behind.
pub fn restore(
    settings: &Settings,
    snapshots: &Arc<SnapshotCell>,
) -> Result<Option<Restored>, StartError> {
    let records = match settings.state_dir.as_deref() {
        Some(folder) => records(folder)?,
        None => {
            tracing::warn!(
                "no messages are kept for a homeserver that does not respond: there is no state folder; set \
                 --state-dir"
            );
            None
        }
    };
    let Some(records) = records else {
        if settings.certificates.is_some() {
            tracing::error!(
                target: operator::TARGET,
                "coaps stays closed, also to devices with certificates: it needs a state folder"
            );
        }
        return Ok(None);
    };
    let began = Instant::now();
    let system = |error: &dyn Display| StartError::System(error.to_string());
    let devices = ReadDevices::read(&records).map_err(|error| system(&error))?;
    let restored = Deliveries::restore(records, snapshots.clone());
    let (deliveries, restored) = restored.map_err(|error| system(&error))?;
    let RestoredMessages {
        waiting,
        ended,
        unreadable,
    } = restored;
    if restored != RestoredMessages::default() {
        tracing::info!(
            target: operator::TARGET,
            "outbox: {waiting} messages wait, {ended} have ended, {unreadable} cannot be read; restored in {} ms",
            began.elapsed().as_millis()
        );
    }
    let devices = devices.with(&deliveries, CoapsSocket::new(settings.coaps));
    open_coaps(settings, &devices)?;
    Ok(Some(Restored {
        deliveries,
        devices,
    }))
}

/// Opens the socket of `coaps` if a device or the configuration wants it.
///
/// # Errors
/// [`StartError::Configuration`]: the configured address cannot be used. If only enrolled devices want it, the log says
/// so: the gateway serves the others.
fn open_coaps(settings: &Settings, devices: &Devices) -> Result<(), StartError> {
    if let Err(error) = settings.check_certificates() {
        tracing::error!(target: operator::TARGET, "{error}");
    }
    let socket = devices.socket();
    if !socket.is_always_open() && !devices.need_coaps() && settings.certificates.is_none() {
        return Ok(());
    }
    match socket.open() {
        Ok(_) => Ok(()),
        Err(error) if socket.is_always_open() => Err(StartError::Configuration(error.to_string())),
        Err(error) => {
            tracing::error!(
                target: operator::TARGET,
                "devices with keys and certificates are out of service: {error}"
            );
            Ok(())
        }
    }
}

fn records(folder: &Path) -> Result<Option<Records>, StartError> {
    let opened = match open(folder) {
        Ok(opened) => opened,
        Err(
            error @ (OpenError::OtherUser { .. }
            | OpenError::NotPrivate { .. }
            | OpenError::Held { .. }
            | OpenError::Newer { .. }),
        ) => return Err(StartError::Configuration(error.to_string())),
        Err(error) => {
            tracing::warn!("no messages are kept for a homeserver that does not respond: {error}");
            return Ok(None);
        }
    };
    let Opened {
        records,
        set_aside,
        migrated_from,
    } = opened;
    if let Some(path) = set_aside {
        tracing::error!(
            target: operator::TARGET,
            "the store was damaged and began anew; the damaged one is kept in {}: messages in it are not sent, and \
             its devices cannot connect, unless it is repaired",
            path.display()
        );
    }
    if let Some(version) = migrated_from {
        tracing::info!(
            target: operator::TARGET,
            "the store was changed from its version {version} to that of this gateway"
        );
    }
    Ok(Some(records))
}
