//! `comatrix-gateway device …`: a constrained device on the command line, for trying out and scripting.
//!
//! Each command makes one request of the wire contract as a device does, over CoAP and UDP, and prints what was
//! sent and answered. Passwords and tokens are never printed; a new token only where the user asks for it.
//!
//! Read first: `request` (what each command sends), then `report` (what is printed).

mod args;
mod gateway_address;
pub mod hiding;
pub mod notation;
pub mod option_view;
pub mod outcome;
pub mod payload_view;
mod plan;
mod proxy_uri;
mod report;
mod request;
mod secret_files;
#[cfg(test)]
mod tests;
mod udp;
mod usage;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use secrecy::SecretString;

pub use args::DeviceArgs;

use coap::Message;
use coap::code::class;
use hiding::Hiding;
use outcome::{exit, exit_code_of_failure, exit_code_of_response, remedy};
use plan::Plan;
use report::Report;
use secret_files::TokenFile;
use udp::Link;
use usage::UsageError;

/// Runs a device command to its end: exchanges on standard output, errors on standard error, both blocking.
///
/// Exit codes are those of `--help`: 0 success, 2 usage, 4 and 5 the class of the response, 6 no answer, 7 reset or
/// unusable answer; of several exchanges the highest.
pub fn run(args: DeviceArgs) -> ExitCode {
    let mut errors = io::stderr().lock();
    let plan = Plan::new(args, &|name| std::env::var_os(name));
    let done = plan.and_then(|plan| carry_out(&plan, &mut io::stdout().lock(), &mut errors));
    ExitCode::from(done.unwrap_or_else(|error| {
        // Nobody is left to tell when standard error is closed too.
        let _ = writeln!(errors, "error: {error}");
        exit::USAGE
    }))
}

/// Makes the exchanges of a plan; the highest exit code of them.
fn carry_out(plan: &Plan, out: &mut impl Write, errors: &mut impl Write) -> Result<u8, UsageError> {
    let mut token_file = plan
        .save_token
        .as_deref()
        .map(TokenFile::open)
        .transpose()?;
    // Before the name is resolved: what cannot be sent is a matter of usage.
    plan.request.message("0")?;
    let mut link = match Link::to(&plan.gateway) {
        Ok(link) => link,
        Err(failure) => {
            writeln!(errors, "error: {failure}; {}", remedy(&failure, true))?;
            return Ok(exit_code_of_failure(&failure));
        }
    };
    let mut worst = exit::SUCCESS;
    for number in 1..=plan.repeat {
        if number > 1 {
            thread::sleep(plan.interval);
        }
        let request = plan.request.message(&new_txn_id()?)?;
        let (exit_code, answer) = exchange(plan, number, &request, &mut link, out)?;
        worst = worst.max(exit_code);
        if let (Some(file), Some(answer)) = (
            &mut token_file,
            answer.filter(|answer| class(answer.code) == 2),
        ) {
            match payload_view::access_token(&answer) {
                Some(token) => file.save(&SecretString::from(token))?,
                None => {
                    writeln!(
                        errors,
                        "error: the answer holds no access token; nothing was saved"
                    )?;
                    worst = worst.max(exit::UNUSABLE);
                }
            }
        }
    }
    Ok(worst)
}

/// 32 random bits: few bytes on the air, and enough for the transactions of one token.
fn new_txn_id() -> Result<String, UsageError> {
    let bits = getrandom::u32().map_err(UsageError::Random)?;
    Ok(format!("{bits:08x}"))
}

/// One exchange, printed.
fn exchange(
    plan: &Plan,
    number: u32,
    request: &Message,
    link: &mut Link,
    out: &mut impl Write,
) -> io::Result<(u8, Option<Message>)> {
    let report = Report {
        number,
        repeat: plan.repeat,
        request,
        confirmable: plan.settings.confirmable,
        hiding: Hiding::by_name_and_value(plan.request.secrets(), plan.show_token),
        answers_token: plan.request.resource.answers_token() && !plan.show_token,
    };
    if !plan.json {
        report.write_request(out, &plan.gateway.to_string())?;
        out.flush()?;
    }
    let attempt = link.exchange(request, plan.settings);
    match plan.json {
        true => report.write_json(out, link.address(), &attempt)?,
        false => report.write_answer(out, link.address(), &attempt)?,
    }
    out.flush()?;
    Ok(match attempt.outcome {
        Ok(answer) => (exit_code_of_response(answer.code), Some(answer)),
        Err(failure) => (exit_code_of_failure(&failure), None),
    })
}
