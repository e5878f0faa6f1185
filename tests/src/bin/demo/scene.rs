//! The participants: a homeserver, a gateway, a person, a room, and a device that has no account yet.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use comatrix_tests::gateway::Gateway;
use comatrix_tests::matrix::Account;
use comatrix_tests::places;
use comatrix_tests::synapse::{RateLimits, Synapse};

/// CoAP's port (RFC 7252 §6.1).
const COAP_PORT: u16 = 5683;

/// The device's account name.
pub const DEVICE: &str = "thermometer";

/// Everything that runs, and where.
pub struct Scene {
    /// `target/demo`.
    pub folder: PathBuf,
    /// The homeserver.
    pub synapse: Synapse,
    /// The gateway.
    pub gateway: Gateway,
    /// `coap://HOST` or `coap://HOST:PORT`.
    pub gateway_uri: String,
    /// A person with a Matrix client.
    pub alice: Account,
    /// The room of that person; the gateway's own account is a member, the device is not yet.
    pub room_id: String,
}

impl Scene {
    /// Starts and makes it all.
    pub fn set() -> Self {
        let folder = places::workspace().join("target/demo");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));

        println!("==> starting Synapse on SQLite in {}", folder.display());
        let synapse = Synapse::start_at(folder.clone(), RateLimits::Raised);
        println!("    it listens at {}", synapse.origin);
        let homeserver = synapse.homeserver();
        let (alice, greenhouse) = (
            homeserver.register_as("alice"),
            homeserver.register_as("greenhouse"),
        );
        let room_id = alice.create_room(None);
        alice.invite(&room_id, &greenhouse.user_id);
        greenhouse.join(&room_id);
        println!("    {} has made the room {room_id}", alice.user_id);

        let ip = loopback();
        println!(
            "==> starting the gateway with the access token of {}",
            greenhouse.user_id
        );
        let token_file =
            places::write_secret(&folder.join("gateway-token"), &greenhouse.access_token);
        let port = if UdpSocket::bind((ip, COAP_PORT)).is_ok() {
            COAP_PORT
        } else {
            0
        };
        let gateway = Gateway::start_at(
            &folder,
            &[
                "-i",
                &ip.to_string(),
                "-p",
                &port.to_string(),
                "--homeserver",
                &synapse.origin,
                "--access-token-file",
                &token_file.display().to_string(),
            ],
        );
        let gateway_uri = match gateway.address.port() {
            COAP_PORT => format!("coap://{}", gateway.address)
                .trim_end_matches(":5683")
                .to_owned(),
            _ => format!("coap://{}", gateway.address),
        };
        println!("    it listens at {gateway_uri}");
        Self {
            folder,
            synapse,
            gateway,
            gateway_uri,
            alice,
            room_id,
        }
    }

    /// Returns when one of the servers has ended, which only happens from outside.
    pub fn wait_for_the_end(&mut self) {
        while self.gateway.runs() {
            thread::sleep(Duration::from_secs(1));
        }
    }
}

/// IPv6 where the machine has it: devices on 802.15.4 use it.
fn loopback() -> IpAddr {
    match UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => Ipv6Addr::LOCALHOST.into(),
        Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}
