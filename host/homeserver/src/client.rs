//! The HTTP clients: pools of connections with their TLS roots.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect};

use super::public_only::PublicOnly;

/// Time that an unused connection stays open. Synapse's usual proxies close it after 60 s; a gateway that closes it
/// first does not use a connection that is being closed.
const IDLE: Duration = Duration::from_secs(30);
/// Time to connect: the exchange ends with `unreachable` while its device still waits.
const CONNECT: Duration = Duration::from_secs(5);

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of `--ca-file` is unusable.
    #[error(
        "cannot use the certificate authorities in {path}: {cause}; give a PEM file with at least one certificate"
    )]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The fault.
        cause: String,
    },
    /// The TLS library refused its configuration.
    #[error(
        "cannot prepare TLS: {0}; install the system's certificate authorities (ca-certificates) or give --ca-file"
    )]
    Tls(String),
}

/// For the configured homeservers. `secured`: at least one is reached by https.
pub(super) fn configured(secured: bool, ca_file: Option<&Path>) -> Result<Client, ClientError> {
    build(builder(secured, ca_file)?)
}

/// For homeservers that devices name: https, to public addresses.
pub(super) fn public_only(ca_file: Option<&Path>) -> Result<Client, ClientError> {
    build(
        builder(true, ca_file)?
            .https_only(true)
            .dns_resolver(PublicOnly),
    )
}

fn builder(secured: bool, ca_file: Option<&Path>) -> Result<ClientBuilder, ClientError> {
    // rustls takes its cryptography from the process. The error of a second call says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("CoMatrix/", env!("CARGO_PKG_VERSION")));
    Ok(match ca_file {
        Some(path) => builder.tls_certs_only(authorities(path)?),
        None if secured => builder,
        // Plain http needs no roots; to read the system's would cost time and memory at start.
        None => builder.tls_certs_only([]),
    })
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let failed = |cause: String| ClientError::Authorities {
        path: path.to_owned(),
        cause,
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        Err(failed("it holds no certificate".into()))
    } else {
        Ok(certificates)
    }
}

fn build(builder: ClientBuilder) -> Result<Client, ClientError> {
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        ClientError::Tls(cause)
    })
}
