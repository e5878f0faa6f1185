//! `device observe`: prints the state of a room, and each new one.

use std::io::{self, Write};
use std::time::Instant;

use coap::Message;
use coap::client::ObservationEvent;
use coap::code::class;
use coap::option::OBSERVE;

use super::no_response::NoResponse;
use super::outcome::{exit, exit_code_of_failure, exit_code_of_response};
use super::plan::{Observes, Plan};
use super::redaction::Redaction;
use super::report::Report;
use super::traffic::Traffic;
use super::udp::{Attempt, UdpClient};

/// Observes as the plan says. Returns the exit code: 0 if it went well until its end.
pub(super) fn run(
    (plan, observes): (&Plan, Observes),
    gateway: &str,
    request: &Message,
    client: &mut UdpClient<'_>,
    out: &mut impl Write,
) -> io::Result<u8> {
    let registration = request.clone().with_uint_option(OBSERVE, 0);
    let report = |number| Report {
        number,
        repeat: 1,
        request: &registration,
        confirmable: plan.settings.confirmable,
        redaction: Redaction::by_name_and_value(plan.request.secrets(), plan.show_token),
        returns_token: false,
    };
    if !plan.json {
        report(1).write_request(out, gateway)?;
        out.flush()?;
    }
    let address = client.address();
    let mut write = |number, attempt: &Attempt| {
        match plan.json {
            true => report(number).write_json(out, address, attempt),
            false => report(number).write_response(out, address, attempt),
        }?;
        out.flush()
    };
    let started = Instant::now();
    let (mut count, mut exit_code, mut failed) = (0, exit::SUCCESS, Ok(()));
    let mut traffic = Traffic::default();
    let each = |event: ObservationEvent, traffic: &Traffic| {
        count += 1;
        let outcome = match event {
            ObservationEvent::State(message) => Ok(message),
            ObservationEvent::Ended(message) => {
                exit_code = match class(message.code) {
                    // It begins no observation: there is no room for another.
                    2 => exit::UNUSABLE,
                    _ => exit_code_of_response(message.code),
                };
                Ok(message)
            }
            ObservationEvent::Failed(error) => {
                let failure = NoResponse::Exchange { address, error };
                exit_code = exit_code_of_failure(&failure);
                Err(failure)
            }
        };
        let attempt = Attempt {
            outcome,
            took: started.elapsed(),
            traffic: *traffic,
        };
        failed = write(count, &attempt);
        Ok(failed.is_ok() && observes.messages.is_none_or(|messages| count < messages))
    };
    let over = client.observe((request, plan.settings), observes.time, &mut traffic, each);
    failed?;
    if let Err(failure) = over {
        exit_code = exit_code_of_failure(&failure);
        let attempt = Attempt {
            outcome: Err(failure),
            took: started.elapsed(),
            traffic,
        };
        write(count + 1, &attempt)?;
    }
    Ok(exit_code)
}
