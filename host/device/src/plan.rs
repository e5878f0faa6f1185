//! Checks the command line and makes values of it that are ready to use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::args::{AccountArgs, ExchangeArgs, ExchangeCommand, HomeserverArgs, RoomArgs, SendArgs};
use super::gateway_address::GatewayAddress;
use super::proxy_uri::Homeserver;
use super::request::{DeviceRequest, Resource};
use super::secret_files;
use super::security::Security;
use super::usage::UsageError;
use coap::client::{BlockSize, Settings};

/// Bytes of a response: the gateway's own bound on a homeserver's response.
const MAX_RESPONSE: usize = 1024 * 1024;

/// Seconds: a shorter time is too short for a response, a longer one is a mistake.
const TIMEOUT_BOUNDS: (f64, f64) = (0.1, 3_600.0);

/// Seconds, up to a day.
const INTERVAL_BOUNDS: (f64, f64) = (0.0, 86_400.0);

/// Seconds, up to a year.
const OBSERVATION_BOUNDS: (f64, f64) = (0.1, 31_536_000.0);

/// Looks up an environment variable.
type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A device command, checked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: DeviceRequest,
    pub(super) gateway: GatewayAddress,
    pub(super) security: Security,
    pub(super) settings: Settings,
    pub(super) repeat: u32,
    pub(super) interval: Duration,
    pub(super) json: bool,
    pub(super) show_token: bool,
    pub(super) save_token: Option<PathBuf>,
    /// An observation in place of exchanges.
    pub(super) observes: Option<Observes>,
}

/// When an observation ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observes {
    pub(super) messages: Option<u32>,
    pub(super) time: Duration,
}

impl Plan {
    /// Checks the arguments, and reads the secrets from the files or variables that they name.
    pub(super) fn new(
        command: ExchangeCommand,
        exchange: &ExchangeArgs,
        environment: Environment<'_>,
    ) -> Result<Self, UsageError> {
        let (show_token, save_token) = match &command {
            ExchangeCommand::Register(account) | ExchangeCommand::Login(account) => {
                (account.show_token, account.save_token.clone())
            }
            _ => (false, None),
        };
        let observes = match &command {
            ExchangeCommand::Observe(_) if exchange.repeat > 1 => {
                return Err(UsageError::RepeatedObservation);
            }
            ExchangeCommand::Observe(args) => Some(Observes {
                messages: args.messages,
                time: seconds("--for", args.seconds, OBSERVATION_BOUNDS)?,
            }),
            _ => None,
        };
        let gateway = GatewayAddress::parse(&exchange.gateway)?;
        Ok(Self {
            observes,
            security: Security::new(&exchange.security, &gateway)?,
            gateway,
            settings: settings(exchange)?,
            repeat: exchange.repeat,
            interval: seconds("--interval", exchange.interval, INTERVAL_BOUNDS)?,
            json: exchange.json,
            request: request(command, environment)?,
            show_token,
            save_token,
        })
    }
}

/// The settings of one exchange.
pub(super) fn settings(exchange: &ExchangeArgs) -> Result<Settings, UsageError> {
    let block_size = match exchange.block_size {
        Some(bytes) => BlockSize::new(bytes.into()).ok_or(UsageError::BlockSize(bytes))?,
        None => BlockSize::LARGEST,
    };
    Ok(Settings {
        confirmable: !exchange.non,
        block_size,
        ask_block_size: exchange.block_size.is_some(),
        timeout: seconds("--timeout", exchange.timeout, TIMEOUT_BOUNDS)?,
        max_response_body: MAX_RESPONSE,
    })
}

fn seconds(
    option: &'static str,
    value: f64,
    (min, max): (f64, f64),
) -> Result<Duration, UsageError> {
    match (min..=max).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(UsageError::Seconds {
            option,
            value,
            min,
            max,
        }),
    }
}

fn request(
    command: ExchangeCommand,
    environment: Environment<'_>,
) -> Result<DeviceRequest, UsageError> {
    let (resource, homeserver, token) = match command {
        ExchangeCommand::Register(account) => {
            let password = password(&account, environment)?;
            (
                Resource::Register {
                    user: account.user,
                    password,
                },
                account.homeserver,
                None,
            )
        }
        ExchangeCommand::Login(account) => {
            let password = password(&account, environment)?;
            (
                Resource::Login {
                    user: account.user,
                    password,
                },
                account.homeserver,
                None,
            )
        }
        ExchangeCommand::Join(args) => (
            Resource::Join { room: room(&args)? },
            args.homeserver,
            Some(args.token),
        ),
        ExchangeCommand::Getmsg(args) => (
            Resource::Getmsg { room: room(&args)? },
            args.homeserver,
            Some(args.token),
        ),
        ExchangeCommand::Observe(args) => (
            Resource::Getmsg {
                room: room(&args.room)?,
            },
            args.room.homeserver,
            Some(args.room.token),
        ),
        ExchangeCommand::Send(args) => {
            let (room, text) = room_and_text(&args)?;
            (
                Resource::Send {
                    room,
                    text,
                    txn_id: args.txn,
                },
                args.homeserver,
                Some(args.token),
            )
        }
        ExchangeCommand::Time => (Resource::Time, HomeserverArgs::default(), None),
        ExchangeCommand::Logout(args) => (
            Resource::Logout { all: args.all },
            args.homeserver,
            Some(args.token),
        ),
    };
    let token = match token {
        Some(args) => {
            secret_files::token(args.token_file.as_deref(), environment("COMATRIX_TOKEN"))?
        }
        None => None,
    };
    Ok(DeviceRequest {
        resource,
        homeserver: homeserver_of(&homeserver)?,
        token,
    })
}

fn homeserver_of(args: &HomeserverArgs) -> Result<Option<Homeserver>, UsageError> {
    let parse = |text| Homeserver::parse(text, args.full);
    args.homeserver.as_deref().map(parse).transpose()
}

fn password(
    account: &AccountArgs,
    environment: Environment<'_>,
) -> Result<SecretString, UsageError> {
    secret_files::password(
        account.password_file.as_deref(),
        environment("COMATRIX_PASSWORD"),
    )
}

fn room(args: &RoomArgs) -> Result<String, UsageError> {
    args.room_word
        .clone()
        .or_else(|| args.room.clone())
        .ok_or(UsageError::NoRoom)
}

/// Room and text: from the options, else from the words in this order.
fn room_and_text(args: &SendArgs) -> Result<(String, String), UsageError> {
    let mut words = args.words.iter().cloned();
    let room = args
        .room
        .clone()
        .or_else(|| words.next())
        .ok_or(UsageError::NoRoom)?;
    let text = args
        .message
        .clone()
        .or_else(|| words.next())
        .ok_or(UsageError::NoText)?;
    match words.next() {
        Some(surplus) => Err(UsageError::SurplusWord(surplus)),
        None => Ok((room, text)),
    }
}
