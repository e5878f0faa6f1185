//! `comatrix-gateway status`: the content of the status page in a terminal.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::status::Status;
use super::terminal;
use crate::config::Place;
use contract::escaping::escaped;

/// The gateway waits for homeservers 3 s at most, and for its own event loop 2 s.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a status: some hundred rules fit.
const MAX_STATUS: usize = 1 << 20;

/// Which gateway's status to show.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The gateway's status page: its socket, or a loopback address and port [default: admin.sock in
    /// $RUNTIME_DIRECTORY, else in comatrix of $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "PLACE")]
    admin: Option<String>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// The command got no status.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error("{0}")]
    Place(String),
    #[error(
        "neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; name the gateway's status page with --admin"
    )]
    NoPlace,
    #[error("no gateway at {0}: {1}; is it running as this user, and with this --admin?")]
    NoGateway(Place, String),
    #[error("the gateway at {0} refuses: {1}")]
    Refused(Place, String),
}

/// Prints the status. Exit status 0: the gateway is ready; 1: it is not ready; 2: no response from a gateway.
#[must_use]
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn run(args: &StatusArgs) -> ExitCode {
    match fetch(args.admin.as_deref()) {
        Ok((status, text)) => {
            if args.json {
                println!("{text}");
            } else {
                print!("{}", terminal::text(&status));
            }
            ExitCode::from(u8::from(!status.not_ready.is_empty()))
        }
        Err(error) => {
            eprintln!("comatrix-gateway: {error}");
            ExitCode::from(2)
        }
    }
}

fn fetch(place: Option<&str>) -> Result<(Status, String), StatusError> {
    let place = match place {
        Some(place) => Place::parse(place, None).map_err(StatusError::Place)?,
        None => Place::standard().ok_or(StatusError::NoPlace)?,
    };
    let failed = |error: String| StatusError::NoGateway(place.clone(), error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let response = runtime.block_on(async { timeout(TIMEOUT, request(&place)).await });
    let (status, text) = match response {
        Ok(response) => response.map_err(|error| failed(error.to_string()))?,
        Err(_) => return Err(failed("it does not respond".to_owned())),
    };
    if status != StatusCode::OK {
        let said = escaped(text.trim_end(), 300);
        return Err(StatusError::Refused(place.clone(), said));
    }
    let value = serde_json::from_str(&text)
        .map_err(|_| failed("its status has the format of another version".to_owned()))?;
    Ok((value, text))
}

async fn request(place: &Place) -> io::Result<(StatusCode, String)> {
    match place {
        Place::Socket(path) => get(UnixStream::connect(path).await?).await,
        Place::Loopback(address) => get(TcpStream::connect(address).await?).await,
    }
}

async fn get<S>(stream: S) -> io::Result<(StatusCode, String)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::get("/status.json")
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await;
    let response = response.map_err(io::Error::other)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_STATUS).collect();
    let body = body.await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8(body.into()).map_err(io::Error::other)?;
    Ok((status, text))
}
