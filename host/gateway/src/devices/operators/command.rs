//! `comatrix-gateway devices …`: an operator's commands about devices.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use secrecy::ExposeSecret;

use super::request::{DevicesRequest, Method, ShownSecret};
use super::{transfer, wording};
use crate::control::client::{self, SocketArgs};
use crate::control::{Command, Reply};
use secure::dtls::DeviceCertificate;
use secure::hexadecimal;
use store::file;

/// Bytes of a certificate's file: a chain of several, of which the first counts.
const MAX_FILE: usize = 64 << 10;

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
        /// With its certificate (PEM or DER), for coaps: that one and no other
        #[arg(long, group = "method", value_name = "FILE")]
        certificate: Option<PathBuf>,
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
        /// From now on with this certificate
        #[arg(long, group = "new_method", value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// From now on with this public key, or this CCS
        #[arg(long, group = "new_method", value_name = "PUBLIC_KEY|CCS")]
        edhoc: Option<String>,
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
#[allow(clippy::print_stderr)]
pub fn run(args: DevicesArgs) -> ExitCode {
    let (request, json) = match args.command {
        DevicesCommand::Add {
            name,
            psk: _,
            oscore,
            certificate,
            edhoc,
            json,
        } => {
            let method = match (&edhoc, oscore) {
                (Some(_), _) => Method::Edhoc,
                (None, true) => Method::Oscore,
                (None, false) => Method::Psk,
            };
            let request = match certificate {
                None => Ok(DevicesRequest::Add {
                    name,
                    method,
                    public_key: edhoc,
                }),
                Some(file) => pin(name, &file, true),
            };
            (request, json)
        }
        DevicesCommand::List { json } => (Ok(DevicesRequest::List {}), json),
        DevicesCommand::Show { name, json } => (Ok(DevicesRequest::Show { name }), json),
        DevicesCommand::Rotate {
            name,
            psk,
            oscore,
            certificate,
            edhoc,
            json,
        } => {
            let method = psk.then_some(Method::Psk);
            let method = method.or(oscore.then_some(Method::Oscore));
            let method = method.or(edhoc.is_some().then_some(Method::Edhoc));
            let request = match certificate {
                None => Ok(DevicesRequest::Rotate {
                    name,
                    method,
                    public_key: edhoc,
                }),
                Some(file) => pin(name, &file, false),
            };
            (request, json)
        }
        DevicesCommand::Remove { name } => (Ok(DevicesRequest::Remove { name }), false),
        DevicesCommand::Import { file } => {
            let text = transfer::read(&file);
            let request = text.map(|text| DevicesRequest::Import {
                file: ShownSecret(text.expose_secret().to_owned()),
            });
            (request, false)
        }
        DevicesCommand::Export { file } => return export(args.socket, &file),
    };
    let request = match request {
        Ok(request) => request,
        Err(error) => return failed(&error),
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

fn pin(name: String, path: &Path, is_new: bool) -> Result<DevicesRequest, String> {
    let content = file::read(path, MAX_FILE).map_err(|error| error.to_string())?;
    let certificate = DeviceCertificate::from_file(&content)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(DevicesRequest::Pin {
        name,
        certificate: hexadecimal::digits(certificate.der()),
        is_new,
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
