//! The connections of the status page, and their limits.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::response::{PageResponse, text};
use super::state::Admin;
use crate::config::Place;
use crate::control::{Credentials, Requester};
use store::private_socket::{PrivateSocket, stranger};

/// Connections at a time: two browsers with six each, a monitor, a command. More connections wait to be accepted.
const CONNECTIONS: usize = 16;
/// For the head of a request to arrive.
const HEAD: Duration = Duration::from_secs(5);
/// For all of a connection. A browser that shows the page then opens the next one.
const CONNECTION: Duration = Duration::from_secs(60);
/// For the response in progress at that time.
const LAST_RESPONSE: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// Headers of a request. Browsers send some twenty.
const HEADERS: usize = 64;
/// Before each response: at most 320 responses per second over all connections, so that a client that sends requests
/// without end delays no device.
const PAUSE: Duration = Duration::from_millis(50);

/// The bound socket of the status page.
pub(super) enum Server {
    Socket(PrivateSocket, Place),
    Loopback(TcpListener, SocketAddr),
}

/// The gateway cannot bind the status page.
#[derive(Debug, thiserror::Error)]
#[error(
    "no status page at {place}: {cause}; `comatrix-gateway status` cannot reach this gateway. Set another place with \
     --admin"
)]
pub(super) struct PlaceError {
    place: Place,
    cause: io::Error,
}

/// An accepted connection.
enum Stream {
    Socket(UnixStream),
    Loopback(TcpStream),
}

impl Server {
    pub(super) fn bind(place: &Place) -> Result<Self, PlaceError> {
        let bound = match place {
            Place::Socket(path) => {
                PrivateSocket::bind(path).map(|socket| Self::Socket(socket, place.clone()))
            }
            Place::Loopback(address) => loopback(*address),
        };
        bound.map_err(|cause| PlaceError {
            place: place.clone(),
            cause,
        })
    }

    /// The place, with the port that the system chose.
    pub(super) fn shown(&self) -> Place {
        match self {
            Self::Socket(_, place) => place.clone(),
            Self::Loopback(_, address) => Place::Loopback(*address),
        }
    }

    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Socket(socket, _) => socket.accept().await.map(Stream::Socket),
            Self::Loopback(listener, _) => {
                listener.accept().await.map(|(it, _)| Stream::Loopback(it))
            }
        }
    }

    /// Serves requests for as long as the gateway runs.
    pub(super) async fn run(self, admin: Rc<Admin>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(slot) = places.clone().acquire_owned().await else {
                return;
            };
            match self.accept().await {
                Ok(stream) => {
                    let (admin, place) = (admin.clone(), self.shown());
                    tokio::task::spawn_local(async move {
                        match stream {
                            Stream::Loopback(stream) => {
                                let requester = Requester::StatusPage(place, None);
                                serve(stream, admin, requester, None).await;
                            }
                            Stream::Socket(stream) => {
                                // A peer without credentials is refused too.
                                let stranger = stranger(&stream).unwrap_or(Some(u32::MAX));
                                let credentials = Credentials::of(&stream);
                                let requester = Requester::StatusPage(place, credentials);
                                serve(stream, admin, requester, stranger).await;
                            }
                        }
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!("status page: {error}");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

fn loopback(address: SocketAddr) -> io::Result<Server> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok(Server::Loopback(TcpListener::from_std(listener)?, address))
}

/// One connection and its requests. `stranger`: a user who may not see the page.
async fn serve<S>(stream: S, admin: Rc<Admin>, requester: Requester, stranger: Option<u32>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(user) = stranger {
        tracing::warn!("status page: user {user} was refused");
    }
    let service = service_fn(|request: Request<Incoming>| {
        let (admin, requester) = (admin.clone(), requester.clone());
        async move {
            sleep(PAUSE).await;
            let response: PageResponse = match stranger {
                None => admin.respond(request, &requester).await,
                Some(_) => text(
                    StatusCode::FORBIDDEN,
                    "only the gateway's own user and root may see this",
                ),
            };
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // Errors of a connection concern its client only.
    if timeout(CONNECTION, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_RESPONSE, connection).await;
    }
}
