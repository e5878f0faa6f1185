//! `device probe`: what a path to a gateway carries, measured from the place where a device stands.
//!
//! It only reads: `/time`, the list of resources, the last message of a room that does not exist, and the first block
//! of a body whose rest never follows. The number of messages and the time are limited, see `prober`.

mod access;
mod blocks;
mod findings;
mod path;
mod prober;
mod round_trip;
mod secured;
mod sizes;
#[cfg(test)]
mod tests;

use std::io::Write;

use coap::client::Settings;
use coap::option::URI_PATH;
use coap::{Message, code};

use crate::gateway_address::GatewayAddress;
use crate::outcome::{exit, exit_code_of_failure, remedy};
use crate::security::Security;
use crate::udp::UdpClient;
use crate::usage::UsageError;
use findings::Findings;
use path::{Path, UdpPath};
use prober::Prober;
use secured::SecuredPath;

/// Measures and prints. Returns the exit code: 0, also if parts do not work; 6 or 7 if the gateway does not respond.
pub fn run(
    (gateway, mut security): (&GatewayAddress, Security),
    settings: Settings,
    json: bool,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> Result<u8, UsageError> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(UsageError::Random)?;
    // An exchange with retransmissions finds the address that responds, and has the errors of all commands.
    let request = Message::new(code::GET).with_option(URI_PATH, "time");
    let first = UdpClient::to(gateway, &mut security).and_then(|mut client| {
        client.exchange(&request, settings).outcome?;
        let address = client.address();
        let path: Box<dyn Path> = match client.into_parts() {
            (Some(port), security) if !matches!(security, Security::Plain) => {
                Box::new(SecuredPath::new(port, security))
            }
            _ => Box::new(UdpPath::connect(address)?),
        };
        Ok((address, path))
    });
    let (address, mut path) = match first {
        Ok(first) => first,
        Err(failure) => {
            writeln!(errors, "error: {failure}; {}", remedy(&failure, true))?;
            return Ok(exit_code_of_failure(&failure));
        }
    };
    if !json {
        writeln!(
            out,
            "measuring; this takes a second on a good path and up to 3 minutes on a bad one"
        )?;
        out.flush()?;
    }
    let findings = measure(&mut *path, seed);
    match json {
        true => findings.write_json(out, address)?,
        false => findings.write_text(out, address)?,
    }
    Ok(exit::SUCCESS)
}

/// All measurements, one after the other.
fn measure(path: &mut dyn Path, seed: [u8; 16]) -> Findings {
    let prober = &mut Prober::new(path, seed);
    let round_trips = round_trip::measure(prober);
    let patience = round_trips.patience();
    let ping = round_trip::ping(prober, patience);
    // The rows that matter most to a device come first: the time may end.
    let policy = access::token_policy(prober);
    let largest_request = sizes::largest_request(prober, patience);
    // Before larger blocks are asked for: the gateway remembers the size that a device asks for.
    let unasked_block = sizes::unasked_block(prober, patience);
    let largest_response =
        sizes::largest_response(prober, patience, largest_request.unwrap_or_default());
    let download = blocks::download(prober);
    let upload = blocks::upload(prober, patience);
    Findings {
        round_trips,
        ping,
        largest_request,
        largest_response,
        unasked_block,
        download,
        upload,
        policy,
        is_cut_short: prober.is_exhausted(),
        overhead: prober.overhead(),
    }
}
