//! Why an HTTP call failed, from the chain of causes below `reqwest::Error`.

use std::error::Error;
use std::io;

use super::public_only::NotPublic;

/// The causes, outermost first. An `io::Error` names as its source not the error it wraps but that one's source.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        let wrapped = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        wrapped.map_or_else(|| cause.source(), |wrapped| Some(wrapped))
    })
}

/// The name of a homeserver that a device chose leads into the network around the gateway.
pub(super) fn is_not_public(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| cause.is::<NotPublic>())
}

/// No acceptable secure session came about: TLS says so, or the connection ended within its handshake.
pub(super) fn is_tls(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| {
        let ended = || {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
        };
        cause.is::<rustls::Error>() || (error.is_connect() && ended())
    })
}

/// The connection ended before any byte of an answer.
pub(super) fn was_closed(error: &reqwest::Error) -> bool {
    !error.is_connect()
        && chain(error).any(|cause| {
            cause
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_incomplete_message)
                || cause.downcast_ref::<io::Error>().is_some_and(|io| {
                    matches!(
                        io.kind(),
                        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
                    )
                })
        })
}

/// The innermost reason: without the URL, whose query is nobody's business in a log.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let innermost = chain(error)
        .last()
        .map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    crate::access_log::escaped(&innermost, 200)
}
