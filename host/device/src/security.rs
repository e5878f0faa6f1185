//! What protects the messages of a device, from the command line.

use secure::dtls::PskKey;

use super::args::SecurityArgs;
use super::gateway_address::{GatewayAddress, Scheme};
use super::oscore_file::OscoreFile;
use super::secret_files;
use super::usage::UsageError;

/// What protects the messages of a device.
#[derive(Debug)]
pub(super) enum Security {
    /// Nothing.
    Plain,
    /// DTLS with a pre-shared key.
    Psk { identity: String, key: PskKey },
    /// OSCORE.
    Oscore(Box<OscoreFile>),
}

impl Security {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// [`UsageError`]: a file cannot be used, or the options do not fit to the gateway's address.
    pub(super) fn new(args: &SecurityArgs, gateway: &GatewayAddress) -> Result<Self, UsageError> {
        match (
            gateway.scheme,
            &args.psk_identity,
            &args.psk_file,
            &args.oscore,
        ) {
            (Scheme::Coap, None, None, None) => Ok(Self::Plain),
            (Scheme::Coap, None, None, Some(path)) => {
                Ok(Self::Oscore(Box::new(OscoreFile::open(path)?)))
            }
            (Scheme::Coaps, Some(identity), Some(path), None) => Ok(Self::Psk {
                identity: identity.clone(),
                key: secret_files::psk(path)?,
            }),
            (Scheme::Coaps, .., Some(_)) => Err(UsageError::OscoreOverCoaps),
            (Scheme::Coaps, ..) => Err(UsageError::NoKey),
            (Scheme::Coap, ..) => Err(UsageError::KeyWithoutCoaps),
        }
    }

    /// Said behind the gateway's address; `coaps` says it itself.
    pub(super) fn suffix(&self) -> &'static str {
        match self {
            Self::Oscore(_) => " with OSCORE",
            Self::Plain | Self::Psk { .. } => "",
        }
    }
}
