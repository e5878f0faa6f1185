//! A gateway before a stub homeserver, and devices that its operator enrols.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::super::super::Failure;
use super::super::super::device::{KEY, SECRET};
use super::super::super::process::{Gateway, Server};
use super::super::send::ROOM;

/// Identifiers of two bytes; none begins with a zero byte, as those of the gateway do.
const FIRST_KID: u16 = 0x0100;

/// See the file.
pub struct Stage {
    /// The homeserver's `http://…`.
    pub origin: String,
    /// The gateway.
    pub server: Server,
    /// Where it speaks `coaps`.
    pub coaps: SocketAddr,
    binary: PathBuf,
    folder: PathBuf,
    socket: PathBuf,
    _homeserver: Option<Server>,
}

impl Stage {
    /// Starts both. The gateway knows the room `kitchen`, and its devices may ask as fast as they can.
    ///
    /// # Errors
    /// One of them does not start.
    pub fn start(gateway: &Gateway) -> Result<Self, Failure> {
        Self::start_with(gateway, "")
    }

    /// The same with more lines in the gateway's configuration, from a table on.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(gateway: &Gateway, more: &str) -> Result<Self, Failure> {
        let homeserver = Server::start_self(&["--stub-homeserver", "0"])?;
        let origin = format!("http://{}", homeserver.address);
        let stage = Self::before(gateway, &origin, more)?;
        Ok(Self {
            _homeserver: Some(homeserver),
            ..stage
        })
    }

    /// The same before a homeserver that is there, with more configuration.
    ///
    /// # Errors
    /// The gateway does not start.
    pub fn before(gateway: &Gateway, origin: &str, more: &str) -> Result<Self, Failure> {
        let folder = gateway.scratch().to_owned();
        let (configuration, socket) = (folder.join("secured.toml"), folder.join("c.sock"));
        let limits = "[limits]\ndatagrams_per_second_per_peer = 0\n";
        std::fs::write(
            &configuration,
            format!("{limits}[rooms]\nkitchen = \"{ROOM}\"\n{more}"),
        )?;
        // A free port: the gateway announces the one of plain CoAP alone.
        let coaps = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let address = coaps.to_string();
        let server = gateway.start_with(
            origin,
            &[
                "--config".as_ref(),
                configuration.as_os_str(),
                "--control-socket".as_ref(),
                socket.as_os_str(),
                "--coaps".as_ref(),
                address.as_ref(),
            ],
        )?;
        Ok(Self {
            origin: origin.to_owned(),
            server,
            coaps,
            binary: gateway.binary().to_owned(),
            folder,
            socket,
            _homeserver: None,
        })
    }

    /// Enrols so many devices with a pre-shared key: `psk0` and so on.
    ///
    /// # Errors
    /// The gateway refuses them.
    pub fn enrol_psk(&self, count: usize) -> Result<(), Failure> {
        let devices = (0..count).map(|number| format!("[{}]\npsk = \"{KEY}\"\n", psk(number)));
        self.import(&devices.collect::<String>())
    }

    /// Enrols so many devices with a security context.
    ///
    /// # Errors
    /// The gateway refuses them.
    pub fn enrol_oscore(&self, count: usize) -> Result<(), Failure> {
        let secret: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
        let devices = (0..count).map(|number| {
            let [high, low] = kid(number);
            let context = format!("secret = \"{secret}\", salt = \"\"");
            format!(
                "[oscore{number}]\noscore = {{ {context}, sender_id = \"{high:02x}{low:02x}\" }}\n"
            )
        });
        self.import(&devices.collect::<String>())
    }

    fn import(&self, fleet: &str) -> Result<(), Failure> {
        let path = self.folder.join("fleet.toml");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(fleet.as_bytes())?;
        let mut command = Command::new(&self.binary);
        command
            .args(["devices", "--control-socket"])
            .arg(&self.socket);
        let output = command.arg("import").arg(&path).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("the gateway enrols no devices: {said}").into())
    }
}

/// The name of a device with a pre-shared key, which is its identity.
pub fn psk(number: usize) -> String {
    format!("psk{number}")
}

/// The `kid` of a device with a security context.
pub fn kid(number: usize) -> [u8; 2] {
    (FIRST_KID + number as u16).to_be_bytes()
}
