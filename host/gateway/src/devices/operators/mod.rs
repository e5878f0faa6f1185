//! What operators see and do of devices: `comatrix-gateway devices …`.
//!
//! The control socket's connections are tasks of the event loop's thread, so a command works on the devices themselves.

pub mod command;
mod constants;
mod edhoc_wording;
mod request;
mod transfer;
mod wording;

use std::rc::Rc;
use std::time::Duration;

use contract::escaping::escaped;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_local;
use tokio::time::timeout;

pub use request::{
    DeviceLine, DeviceList, DevicesRequest, Enrolment, Method, Secret, ShownCcs, ShownSecret,
};
use secure::edhoc::Ccs;
use secure::hexadecimal;

use super::credential::{Credential, GATEWAY_ID};
use super::enrolled::{Device, Devices, Inner};
use super::enrolling::Fresh;
use crate::control::{Reply, Requester};
use crate::daemon::heap;
use crate::telemetry::operator::TARGET;

/// For a command. A disk that does not respond keeps nobody waiting.
const TIME: Duration = Duration::from_secs(60);
/// Devices in a reply: a line of each is at most 160 bytes, and a reply 512 KiB.
const MOST_LISTED: usize = 3_000;
/// Bytes of a name in a log line.
const MAX_NAME: usize = 64;

impl Devices {
    /// Carries out a command. A change is carried out also if its disk takes so long that the operator gets another
    /// reply.
    pub async fn carry_out(&self, request: DevicesRequest, requester: &Requester) -> Reply {
        log_request(&request, requester);
        let inner = self.0.clone();
        let work = spawn_local(async move { inner.reply_to(request).await });
        match timeout(TIME, work).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Reply::Refused("the gateway is shutting down; try again".to_owned()),
            Err(_) => Reply::Refused(format!(
                "the disk of the state folder does not respond within {} s; a change goes on, and `comatrix-gateway \
                 devices list` shows what it has led to: rotate a device whose key you have not seen",
                TIME.as_secs()
            )),
        }
    }
}

impl Inner {
    async fn reply_to(self: Rc<Self>, request: DevicesRequest) -> Reply {
        let replied = match request {
            DevicesRequest::Add {
                name,
                method,
                public_key,
            } => self
                .add(&name, method, public_key.as_deref())
                .await
                .map(|fresh| self.enrolment(&fresh)),
            DevicesRequest::Rotate {
                name,
                method,
                public_key,
            } => self
                .rotate(&name, method, public_key.as_deref())
                .await
                .map(|fresh| self.enrolment(&fresh)),
            DevicesRequest::Pin {
                name,
                certificate,
                is_new,
            } => {
                let certificate = hexadecimal::bytes(&certificate).unwrap_or_default();
                let pinned = self.pin(&name, &certificate, is_new).await;
                pinned.map(|fresh| self.enrolment(&fresh))
            }
            DevicesRequest::Remove { name } => self.remove(&name).await.map(|()| {
                Reply::Done(format!(
                    "removed device {name}; its sessions are closed, and its logins forgotten"
                ))
            }),
            DevicesRequest::Show { name } => {
                let found = self.find(&name, |_, _| ());
                found.map(|()| Reply::Devices(self.show(&name)))
            }
            DevicesRequest::Import { file } => {
                let imported = self.import(&file.0).await;
                drop(file);
                // While 10,000 devices are read, their parsed file takes 45 MB.
                heap::release();
                imported.map(|(new, before)| Reply::Done(self.imported(new, before)))
            }
            DevicesRequest::Export {} => {
                let file = self.export();
                Ok(Reply::Exported(ShownSecret(
                    file.expose_secret().to_owned(),
                )))
            }
            DevicesRequest::List {} => Ok(Reply::Devices(self.list(|_| true))),
        };
        replied.unwrap_or_else(Reply::Refused)
    }

    fn list(&self, is_meant: impl Fn(&str) -> bool) -> DeviceList {
        let table = self.table.borrow();
        let mut meant = table.iter().filter(|(name, _)| is_meant(name));
        let devices = meant.by_ref().take(MOST_LISTED);
        let devices = devices.map(|(name, device)| line(name, device)).collect();
        DeviceList {
            devices,
            left_out: meant.count(),
        }
    }

    fn imported(&self, new: usize, before: usize) -> String {
        let done =
            format!("enrolled {new} devices; {before} others of the file were enrolled already");
        // The first device with a key opens the socket.
        match (!self.keys.is_empty()).then(|| self.open()) {
            Some(Err(error)) => format!("{done}; those with psk cannot connect yet: {error}"),
            _ => done,
        }
    }

    fn show(&self, name: &str) -> DeviceList {
        let mut list = self.list(|other| other == name);
        for device in &mut list.devices {
            device.sessions = self.sessions.of(name);
        }
        list
    }

    fn enrolment(&self, fresh: &Fresh) -> Reply {
        let table = self.table.borrow();
        let Some(device) = table.get(&fresh.name) else {
            return Reply::Refused("the device was removed meanwhile".to_owned());
        };
        let shown = |secret: &SecretString| ShownSecret(secret.expose_secret().to_owned());
        let secret = match &fresh.credential {
            Credential::Psk(key) => Secret::Psk {
                key: shown(key),
                port: self.open().map(|address| address.port()),
            },
            Credential::Oscore(keys) => Secret::Oscore {
                secret: shown(&keys.secret),
                salt: keys.salt.clone(),
                sender_id: keys.kid.clone(),
                recipient_id: format!("{GATEWAY_ID:02x}"),
            },
            Credential::Certificate(_) => Secret::Certificate {
                port: self.open_for_certificates().map(|address| address.port()),
            },
            Credential::Edhoc(keys) => {
                let identity = self.identity.borrow();
                let Some(identity) = &*identity else {
                    return Reply::Refused(
                        "the gateway has no key pair for EDHOC; start it again".to_owned(),
                    );
                };
                Secret::Edhoc {
                    device: shown_ccs(&keys.ccs),
                    gateway: shown_ccs(identity.ccs()),
                    is_made: fresh.is_made,
                }
            }
        };
        Reply::Enrolled(Box::new(Enrolment {
            device: line(&fresh.name, device),
            secret,
        }))
    }
}

fn shown_ccs(ccs: &Ccs) -> ShownCcs {
    ShownCcs {
        hex: hexadecimal::digits(ccs.as_bytes()),
        diagnostic: ccs.diagnostic(),
        kid: hexadecimal::digits(ccs.kid()),
    }
}

fn line(name: &str, device: &Device) -> DeviceLine {
    DeviceLine {
        name: name.to_owned(),
        method: device.credential.method(),
        fingerprint: device.credential.fingerprint(),
        enrolled: device.enrolled,
        expires: device.credential.expires(),
        sessions: Vec::new(),
    }
}

/// Logs who asks for what, before the result: a command that only shows changes nothing.
fn log_request(request: &DevicesRequest, requester: &Requester) {
    let all = String::new();
    let (what, name) = match request {
        DevicesRequest::List {} | DevicesRequest::Show { .. } => return,
        DevicesRequest::Add { name, .. } => ("the enrolment of device", name),
        DevicesRequest::Pin { name, is_new, .. } if *is_new => ("the enrolment of device", name),
        DevicesRequest::Pin { name, .. } => ("a new certificate for device", name),
        DevicesRequest::Rotate { name, .. } => ("a new key for device", name),
        DevicesRequest::Remove { name } => ("the removal of device", name),
        DevicesRequest::Import { .. } => ("the import of devices from a file", &all),
        DevicesRequest::Export {} => ("the export of all devices with their keys", &all),
    };
    let name = escaped(name, MAX_NAME);
    tracing::info!(target: TARGET, "{requester} asks for {what} {name}");
}
