//! `comatrix-gateway device …`: a constrained device on the command line, for tests and scripts.
//!
//! Each command makes one request as a device does, over CoAP and UDP, and prints the request and the response.
//! Passwords and tokens are never printed, except for a new token on the user's request.
//!
//! Read first: `request` (the request of each command), then `report` (the output). `probe` measures a path instead.

mod args;
mod edhoc_file;
mod edhoc_handshake;
mod gateway_address;
mod local_port;
mod no_response;
pub mod notation;
mod observe;
pub mod option_view;
mod oscore_file;
pub mod outcome;
pub mod payload_view;
mod plan;
mod probe;
mod protection;
mod proxy_uri;
pub mod redaction;
mod report;
mod request;
mod secret_files;
mod security;
#[cfg(test)]
mod tests;
mod traffic;
mod udp;
mod usage;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use secrecy::SecretString;

pub use args::DeviceArgs;
use args::DeviceCommand;

use coap::Message;
use coap::code::class;
use gateway_address::GatewayAddress;
use outcome::{exit, exit_code_of_failure, exit_code_of_response, remedy};
use plan::Plan;
use redaction::Redaction;
use report::Report;
use secret_files::TokenFile;
use security::Security;
use udp::UdpClient;
use usage::UsageError;

/// Runs a device command: exchanges on standard output, errors on standard error, both blocking.
///
/// Exit codes are those of `--help`: 0 success, 2 usage, 4 and 5 the class of the response, 6 no response, 7 reset or
/// unusable response; the highest of several exchanges.
pub fn run(args: DeviceArgs) -> ExitCode {
    let (mut out, mut errors) = (io::stdout().lock(), io::stderr().lock());
    let DeviceArgs { command, exchange } = args;
    let done = match command {
        DeviceCommand::Exchange(command) => {
            let plan = Plan::new(command, &exchange, &|name| std::env::var_os(name));
            plan.and_then(|mut plan| execute(&mut plan, &mut out, &mut errors))
        }
        DeviceCommand::Probe(probe) => {
            let gateway = probe.uri.as_ref().unwrap_or(&exchange.gateway);
            GatewayAddress::parse(gateway).and_then(|gateway| {
                let security = Security::new(&exchange.security, &gateway)?;
                let settings = plan::settings(&exchange)?;
                let gateway = (&gateway, security);
                probe::run(gateway, settings, exchange.json, &mut out, &mut errors)
            })
        }
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        // If standard error is closed too, there is no place for the message.
        let _ = writeln!(errors, "error: {error}");
        exit::USAGE
    }))
}

/// Makes the exchanges of a plan. Returns their highest exit code.
fn execute(
    plan: &mut Plan,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> Result<u8, UsageError> {
    let mut token_file = plan
        .save_token
        .as_deref()
        .map(TokenFile::open)
        .transpose()?;
    // Before the name is resolved: a request that cannot be sent is a usage error.
    plan.request.message("0")?;
    let mut security = std::mem::replace(&mut plan.security, Security::Plain);
    let gateway = format!("{}{}", plan.gateway, security.suffix());
    let mut client = match UdpClient::to(&plan.gateway, &mut security) {
        Ok(client) => client,
        Err(failure) => {
            writeln!(errors, "error: {failure}; {}", remedy(&failure, true))?;
            return Ok(exit_code_of_failure(&failure));
        }
    };
    if let Some(observes) = plan.observes {
        let request = plan.request.message("0")?;
        return Ok(observe::run(
            (plan, observes),
            &gateway,
            &request,
            &mut client,
            out,
        )?);
    }
    let mut highest = exit::SUCCESS;
    for number in 1..=plan.repeat {
        if number > 1 {
            thread::sleep(plan.interval);
        }
        let request = plan.request.message(&new_txn_id()?)?;
        let (exit_code, response) = exchange(plan, &gateway, number, &request, &mut client, out)?;
        highest = highest.max(exit_code);
        if let (Some(file), Some(response)) = (
            &mut token_file,
            response.filter(|response| class(response.code) == 2),
        ) {
            match payload_view::access_token(&response) {
                Some(token) => file.save(&SecretString::from(token))?,
                None => {
                    writeln!(
                        errors,
                        "error: the response has no access token; nothing was saved"
                    )?;
                    highest = highest.max(exit::UNUSABLE);
                }
            }
        }
    }
    Ok(highest)
}

/// 32 random bits: few bytes on the air, and enough for the transactions of one access token.
fn new_txn_id() -> Result<String, UsageError> {
    let bits = getrandom::u32().map_err(UsageError::Random)?;
    Ok(format!("{bits:08x}"))
}

/// Makes and prints one exchange.
fn exchange(
    plan: &Plan,
    gateway: &str,
    number: u32,
    request: &Message,
    client: &mut UdpClient<'_>,
    out: &mut impl Write,
) -> io::Result<(u8, Option<Message>)> {
    let report = Report {
        number,
        repeat: plan.repeat,
        request,
        confirmable: plan.settings.confirmable,
        redaction: Redaction::by_name_and_value(plan.request.secrets(), plan.show_token),
        returns_token: plan.request.resource.returns_token() && !plan.show_token,
    };
    if !plan.json {
        report.write_request(out, gateway)?;
        out.flush()?;
    }
    let attempt = client.exchange(request, plan.settings);
    match plan.json {
        true => report.write_json(out, client.address(), &attempt)?,
        false => report.write_response(out, client.address(), &attempt)?,
    }
    out.flush()?;
    Ok(match attempt.outcome {
        Ok(response) => (exit_code_of_response(response.code), Some(response)),
        Err(failure) => (exit_code_of_failure(&failure), None),
    })
}
