//! What protects the messages of a device, from the command line.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use secure::dtls::{ClientSession, PskKey, ServerCertificate, SetupError, Trust};

use super::args::SecurityArgs;
use super::edhoc_file::EdhocFile;
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
    /// DTLS with certificates.
    Certificate {
        own: Box<ServerCertificate>,
        trust: Trust,
    },
    /// OSCORE.
    Oscore(Box<OscoreFile>),
    /// OSCORE with a context that EDHOC makes.
    Edhoc(Box<EdhocFile>),
}

impl Security {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// [`UsageError`]: a file cannot be used, or the options do not fit to each other or to the gateway's address.
    pub(super) fn new(args: &SecurityArgs, gateway: &GatewayAddress) -> Result<Self, UsageError> {
        let has_psk = args.psk_identity.is_some() || args.psk_file.is_some();
        let has_certificate = args.certificate.is_some() || args.key.is_some() || args.ca.is_some();
        let has_oscore = args.oscore.is_some() || args.edhoc.is_some();
        match gateway.scheme {
            Scheme::Coaps if has_oscore => Err(UsageError::OscoreOverCoaps),
            Scheme::Coap if has_psk || has_certificate => Err(UsageError::KeyWithoutCoaps),
            Scheme::Coaps if has_psk && has_certificate => Err(UsageError::SeveralKeys),
            Scheme::Coaps => Self::of_coaps(args, gateway),
            Scheme::Coap => match (&args.oscore, &args.edhoc) {
                (None, None) => Ok(Self::Plain),
                (Some(path), None) => Ok(Self::Oscore(Box::new(OscoreFile::open(path)?))),
                (None, Some(path)) => Ok(Self::Edhoc(Box::new(EdhocFile::open(path)?))),
                (Some(_), Some(_)) => Err(UsageError::SeveralKeys),
            },
        }
    }

    fn of_coaps(args: &SecurityArgs, gateway: &GatewayAddress) -> Result<Self, UsageError> {
        if let (Some(identity), Some(path)) = (&args.psk_identity, &args.psk_file) {
            return Ok(Self::Psk {
                identity: identity.clone(),
                key: secret_files::psk(path)?,
            });
        }
        if let (Some(certificate), Some(key), Some(ca)) = (&args.certificate, &args.key, &args.ca) {
            // The zone of a link-local address is that of this machine.
            let host = gateway.host.split('%').next().unwrap_or_default();
            return Ok(Self::Certificate {
                own: Box::new(secret_files::certificate(certificate, key)?),
                trust: secret_files::trust(ca, host)?,
            });
        }
        Err(UsageError::NoKey)
    }

    /// Begins a handshake of DTLS, if that is what protects.
    pub(super) fn session(
        &self,
        timeout: Duration,
        now: Instant,
    ) -> Option<Result<ClientSession, SetupError>> {
        match self {
            Self::Psk { identity, key } => {
                Some(ClientSession::with_key(identity, key.clone(), timeout, now))
            }
            Self::Certificate { own, trust } => {
                // A clock before 1970 finds every certificate not yet valid.
                let unix_time = SystemTime::now().duration_since(UNIX_EPOCH);
                let times = (now, unix_time.unwrap_or_default());
                let (own, trust) = (own.as_ref().clone(), trust.clone());
                Some(ClientSession::with_certificate(own, trust, timeout, times))
            }
            Self::Plain | Self::Oscore(_) | Self::Edhoc(_) => None,
        }
    }

    /// The security context that protects, if there is one.
    pub(super) fn context(&mut self) -> Option<&mut OscoreFile> {
        match self {
            Self::Oscore(file) => Some(file),
            Self::Edhoc(file) => file.context.as_mut(),
            Self::Plain | Self::Psk { .. } | Self::Certificate { .. } => None,
        }
    }

    /// Forgets what the gateway may have forgotten: the next exchange shakes hands again.
    pub(super) fn forget(&mut self) {
        if let Self::Edhoc(file) = self {
            file.context = None;
        }
    }

    /// Said behind the gateway's address; `coaps` says it itself.
    pub(super) fn suffix(&self) -> &'static str {
        match self {
            Self::Oscore(_) => " with OSCORE",
            Self::Edhoc(_) => " with OSCORE after EDHOC",
            Self::Plain | Self::Psk { .. } | Self::Certificate { .. } => "",
        }
    }
}
