//! `comatrix-gateway devices …`: an operator's commands about devices.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};

use super::request::{DevicesRequest, Method};
use super::wording;
use crate::control::client::{self, SocketArgs};
use crate::control::{Command, Reply};

/// A command about the devices of a running gateway.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[command(subcommand)]
    command: DevicesCommand,
}

#[derive(Debug, Subcommand)]
enum DevicesCommand {
    /// Enrol a device, and print its key once, with commands to try it
    #[command(group = ArgGroup::new("method").required(true))]
    Add {
        /// Its name, also its identity in DTLS: at most 32 letters, digits, '-', '_' and '.'
        name: String,
        /// With a pre-shared key, for coaps (DTLS 1.2, PSK_AES128_CCM_8)
        #[arg(long, group = "method")]
        psk: bool,
        /// With a security context, for OSCORE on the plain port (AES-CCM-16-64-128, HKDF with SHA-256)
        #[arg(long, group = "method")]
        oscore: bool,
        /// With its own key pair, for EDHOC and OSCORE on the plain port: its public key on P-256 in hexadecimal digits
        /// (X, or SEC 1), or its CCS in hexadecimal digits or diagnostic notation, as aiocoap-keygen prints it
        #[arg(long, group = "method", value_name = "PUBLIC_KEY|CCS")]
        edhoc: Option<String>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// List the devices, with fingerprints of their keys
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a device, with the fingerprint of its key
    Show {
        /// Its name
        name: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a device a new key, print it once, and close the device's sessions
    Rotate {
        /// Its name
        name: String,
        /// The new public key, or the new CCS, of a device with a key pair
        #[arg(long, value_name = "PUBLIC_KEY|CCS")]
        edhoc: Option<String>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a device and close its sessions; asks for nothing
    Remove {
        /// Its name
        name: String,
    },
}

/// Runs a command. Exit status 0: done; 1: the gateway refused; 2: no response from a gateway.
#[must_use]
pub fn run(args: DevicesArgs) -> ExitCode {
    let (request, json) = match args.command {
        DevicesCommand::Add {
            name,
            psk: _,
            oscore,
            edhoc,
            json,
        } => {
            let method = match (&edhoc, oscore) {
                (Some(_), _) => Method::Edhoc,
                (None, true) => Method::Oscore,
                (None, false) => Method::Psk,
            };
            let request = DevicesRequest::Add {
                name,
                method,
                public_key: edhoc,
            };
            (request, json)
        }
        DevicesCommand::List { json } => (DevicesRequest::List {}, json),
        DevicesCommand::Show { name, json } => (DevicesRequest::Show { name }, json),
        DevicesCommand::Rotate { name, edhoc, json } => {
            let public_key = edhoc;
            (DevicesRequest::Rotate { name, public_key }, json)
        }
        DevicesCommand::Remove { name } => (DevicesRequest::Remove { name }, false),
    };
    let command = Command::Devices(request);
    client::run(args.socket, &command, |reply| match reply {
        Reply::Devices(list) if json => serde_json::to_string(&list).unwrap_or_default(),
        Reply::Devices(list) => wording::list(&list),
        Reply::Enrolled(enrolment) if json => serde_json::to_string(&enrolment).unwrap_or_default(),
        Reply::Enrolled(enrolment) => wording::enrolment(&enrolment),
        Reply::Done(done) => done,
        _ => String::new(),
    })
}
