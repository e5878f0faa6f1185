//! The cause of a failed HTTP call, from the chain of causes below `reqwest::Error`.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::public_only::NotPublic;
use contract::clock::{Clock, date};

/// The causes, outermost first. An `io::Error` names as its source not the error it wraps but that one's source.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        let wrapped = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        wrapped.map_or_else(|| cause.source(), |wrapped| Some(wrapped))
    })
}

/// Whether the name of a homeserver that a device chose resolves to an address that is not public.
pub(super) fn is_not_public(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| cause.is::<NotPublic>())
}

/// Whether there was no acceptable secure session: TLS failed, or the connection ended within its handshake. A fault of
/// an established session is none: the request may have gone through it.
pub(super) fn is_tls(error: &reqwest::Error) -> bool {
    error.is_connect()
        && chain(error).any(|cause| {
            let ended = || {
                cause
                    .downcast_ref::<io::Error>()
                    .is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
            };
            cause.is::<rustls::Error>() || ended()
        })
}

/// The fault of a certificate's dates and the remedy; none if the dates are not the cause.
pub(super) fn dates(error: &reqwest::Error, clock: Clock) -> Option<String> {
    let certificate = chain(error).find_map(|cause| match cause.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(error)) => Some(error),
        _ => None,
    })?;
    let on = |time: UnixTime| {
        let time: SystemTime = UNIX_EPOCH + Duration::from_secs(time.as_secs());
        format!(" on {}", date(time))
    };
    let (fault, remedy) = match certificate {
        CertificateError::Expired => ("its certificate has expired".to_owned(), RENEW),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("its certificate expired{}", on(*not_after)), RENEW)
        }
        CertificateError::NotValidYet => ("its certificate is not valid yet".to_owned(), WAIT),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("its certificate becomes valid{}", on(*not_before)),
            WAIT,
        ),
        _ => return None,
    };
    let remedy = match clock.now() {
        Some(_) => remedy.to_owned(),
        None => format!(
            "but this machine's clock is not set (it shows {}): set up a time service (systemd-timesyncd, ntpd)",
            clock.shown()
        ),
    };
    Some(format!("{fault}; {remedy}"))
}

const RENEW: &str = "renew it at the homeserver";
const WAIT: &str =
    "use another certificate at the homeserver until then, or correct the clock that is wrong";

/// Whether the connection ended before any byte of the response.
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

/// The innermost cause, without the URL: its query does not belong in a log.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let innermost = chain(error)
        .last()
        .map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    contract::escaping::escaped(&innermost, 200)
}
