//! `comatrix-gateway devices …`: an operator's commands about devices.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use secrecy::ExposeSecret;

use super::request::{DevicesRequest, Method, ShownSecret};
use super::{transfer, wording};
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
    /// Give a device a new key, print it once, and close the device's sessions; it stays logged in
    #[command(group = ArgGroup::new("new_method"))]
    Rotate {
        /// Its name
        name: String,
        /// From now on with a pre-shared key
        #[arg(long, group = "new_method")]
        psk: bool,
        /// From now on with a security context
        #[arg(long, group = "new_method")]
        oscore: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Enrol the devices of a file with their keys, all of them or none; those that are enrolled already stay
    Import {
        /// A file that only you can read: a table [NAME] for each device, with psk or oscore
        file: PathBuf,
    },
    /// Write all devices with their keys into a file that only you can read
    Export {
        /// The file; one that is there is replaced
        file: PathBuf,
    },
    /// Remove a device, close its sessions and forget its logins; asks for nothing
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
            json,
        } => {
            let method = if oscore { Method::Oscore } else { Method::Psk };
            (DevicesRequest::Add { name, method }, json)
        }
        DevicesCommand::List { json } => (DevicesRequest::List {}, json),
        DevicesCommand::Show { name, json } => (DevicesRequest::Show { name }, json),
        DevicesCommand::Rotate {
            name,
            psk,
            oscore,
            json,
        } => {
            let method = psk.then_some(Method::Psk);
            let method = method.or(oscore.then_some(Method::Oscore));
            (DevicesRequest::Rotate { name, method }, json)
        }
        DevicesCommand::Remove { name } => (DevicesRequest::Remove { name }, false),
        DevicesCommand::Import { file } => match transfer::read(&file) {
            Ok(text) => {
                let file = ShownSecret(text.expose_secret().to_owned());
                (DevicesRequest::Import { file }, false)
            }
            Err(error) => return failed(&error),
        },
        DevicesCommand::Export { file } => return export(args.socket, &file),
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

/// Writes what the gateway exports into a file.
fn export(socket: SocketArgs, file: &Path) -> ExitCode {
    let command = Command::Devices(DevicesRequest::Export {});
    let mut written = Ok(());
    let code = client::run(socket, &command, |reply| {
        let Reply::Exported(text) = reply else {
            return String::new();
        };
        written = transfer::write(file, &text.0.into());
        match &written {
            Ok(()) => format!("wrote all devices with their keys into {}", file.display()),
            Err(_) => "no file was written".to_owned(),
        }
    });
    match written {
        Ok(()) => code,
        Err(error) => failed(&error),
    }
}

/// Says why a command could not be carried out here.
#[allow(clippy::print_stderr)]
fn failed(error: &str) -> ExitCode {
    eprintln!("comatrix-gateway: {error}");
    ExitCode::FAILURE
}
