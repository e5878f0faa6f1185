//! Errors before anything is sent: exit code 2.

use std::io;
use std::path::PathBuf;

use secure::dtls::{NotAKey, TrustError};
use store::file::FileError;

/// A command line, file or variable that cannot be used. Messages never contain a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum UsageError {
    #[error(
        "--gateway {text}: {reason}; write coap://host, coap://host:5683, coap://[fe80::1%eth0] or coaps://host"
    )]
    Gateway { text: String, reason: &'static str },
    #[error(
        "a coaps:// gateway needs --psk-identity NAME and --psk-file FILE, or --certificate FILE, --key FILE and --ca \
         FILE"
    )]
    NoKey,
    #[error(
        "--psk-identity, --psk-file, --certificate, --key and --ca are for coaps:// gateways; write --gateway \
         coaps://HOST, or leave them out"
    )]
    KeyWithoutCoaps,
    #[error(
        "--oscore and --edhoc are for coap:// gateways: OSCORE needs no DTLS; write --gateway coap://HOST"
    )]
    OscoreOverCoaps,
    #[error(
        "a device proves itself in one way: with --psk-identity, --certificate, --oscore or --edhoc; leave out the \
         others"
    )]
    SeveralKeys,
    #[error(
        "--certificate {} and --key {}: {reason}; name the two that were made together", certificate.display(),
        key.display()
    )]
    Certificate {
        certificate: PathBuf,
        key: PathBuf,
        reason: &'static str,
    },
    #[error(
        "--ca {}: {error}; name the certificate of the authority that signed the gateway's, or the gateway's own",
        path.display()
    )]
    Ca { path: PathBuf, error: TrustError },
    #[error(
        "--edhoc {}: {reason}; write the lines that `comatrix-gateway devices add NAME --edhoc` prints for this \
         program", path.display()
    )]
    Edhoc { path: PathBuf, reason: String },
    #[error("an observation goes on by itself; leave out --repeat, or use --messages and --for")]
    RepeatedObservation,
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{place}: {error}; write the key alone into the file, as `devices add` prints it")]
    Key { place: String, error: NotAKey },
    #[error(
        "--oscore {}: {reason}; write the lines that `comatrix-gateway devices add NAME --oscore` prints for libcoap",
        path.display()
    )]
    Oscore { path: PathBuf, reason: String },
    #[error(
        "--homeserver {text}: {reason}; write its origin, for example https://matrix.example.org or \
         http://localhost:8008"
    )]
    Homeserver { text: String, reason: &'static str },
    #[error(
        "the Proxy-Uri would have {length} bytes, CoAP allows {limit}; leave out --full, or leave out --homeserver to \
         use the gateway's default"
    )]
    ProxyUriLength { length: usize, limit: usize },
    #[error(
        "the {name} {problem}; a room is an id (!…), an alias (#name:server) or an alias name of the gateway's \
         configuration"
    )]
    PathSegment {
        name: &'static str,
        problem: &'static str,
    },
    #[error("--room is missing; write `device send ROOM TEXT`, quoted for the shell")]
    NoRoom,
    #[error("the text is missing; write `device send ROOM TEXT` or --message TEXT")]
    NoText,
    #[error("unexpected word `{0}`; quote a text that has spaces")]
    SurplusWord(String),
    #[error("--block-size {0} is not a CoAP block size; use 16, 32, 64, 128, 256, 512 or 1024")]
    BlockSize(u16),
    #[error("{option} {value} is out of range; use {min} to {max} seconds")]
    Seconds {
        option: &'static str,
        value: f64,
        min: f64,
        max: f64,
    },
    #[error(
        "no password; set COMATRIX_PASSWORD or use --password-file FILE (`-` reads standard input)"
    )]
    NoPassword,
    #[error("{place} is empty; put the {name} there")]
    EmptySecret { name: &'static str, place: String },
    #[error("{place} is longer than {limit} bytes; is it really the {name}?")]
    LongSecret {
        name: &'static str,
        place: String,
        limit: usize,
    },
    #[error("{place} is not UTF-8; is it really the {name}?")]
    SecretNotText { name: &'static str, place: String },
    #[error("cannot read the {name} from {place}: {source}")]
    ReadSecret {
        name: &'static str,
        place: String,
        source: io::Error,
    },
    #[error("cannot write the token to {}: {source}; choose a file in a folder that you own", path.display())]
    SaveToken { path: PathBuf, source: io::Error },
    #[error("the system has no random bytes: {0}; try again")]
    Random(getrandom::Error),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}
