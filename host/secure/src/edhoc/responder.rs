//! The responder: message_1 in, message_2 out; message_3 in, message_4 and a security context out.

use std::sync::Arc;
use std::time::Instant;

use coap::Host;
use lakers::{
    Credential, CredentialKey, CredentialTransfer, CredentialType, EDHOCError, MAX_KDF_CONTEXT_LEN,
    ResponderStart,
};
use share::Owner;
use zeroize::Zeroizing;

use super::agreed::Agreed;
use super::budget::Budget;
use super::ccs::Ccs;
use super::identity::Identity;
use super::message_1::Message1;
use super::plaintext_3::{self, Named};
use super::refusal::Refusal;
use super::sessions::{Room, Session, Sessions};
use super::suite_2::Suite2;
use super::{curve, message_1, message_3};
use crate::oscore::{Identifier, MasterSecret, Parameters};

/// Finds devices by the credentials that they name. The caller implements it over its store; it must not block.
pub trait Credentials: Send + Sync {
    /// The device whose credential has this `kid`, and the credential.
    fn by_kid(&self, kid: &[u8]) -> Option<(Arc<str>, Ccs)>;
}

/// Fills bytes with random ones that nobody can predict. Ephemeral keys come from it.
pub type Random = Box<dyn FnMut(&mut [u8]) + Send>;

/// Who sends a message.
#[derive(Clone, Copy, Debug)]
pub struct From {
    /// Whose share a handshake counts for.
    pub owner: Owner,
    /// The host, from which message_3 has to come too; none if peers are no hosts.
    pub host: Option<Host>,
    /// Whether it receives at its address. Others may have to prove that.
    pub is_proven: bool,
}

/// What becomes of a message_1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// message_2 to send back.
    Message2(Vec<u8>),
    /// Come again when its address is proven.
    NeedsProof,
    Refused(Refusal),
}

/// Most attempts to find a connection identifier that is not in use.
const ATTEMPTS: usize = 64;
/// Labels of the exporter (RFC 9528 Appendix A.1).
const MASTER_SECRET: u8 = 0;
const MASTER_SALT: u8 = 1;
const MASTER_SECRET_BYTES: usize = 16;
const MASTER_SALT_BYTES: usize = 8;

/// The handshakes of a gateway.
pub struct Responder {
    credentials: Arc<dyn Credentials>,
    random: Random,
    sessions: Sessions,
    budget: Budget,
}

impl Responder {
    /// No handshakes yet.
    #[must_use]
    pub fn new(credentials: Arc<dyn Credentials>, random: Random) -> Self {
        Self {
            credentials,
            random,
            sessions: Sessions::new(),
            budget: Budget::full(),
        }
    }

    /// Takes message_1. `is_taken` says whether a security context has this `kid`.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        from: &From,
        identity: &Identity,
        bytes: &[u8],
        is_taken: impl Fn(Identifier) -> bool,
    ) -> Begun {
        let Message1 { c_i, g_x } = match message_1::read(bytes) {
            Ok(message) => message,
            Err(refusal) => return Begun::Refused(refusal),
        };
        match self.sessions.room(now, from.owner, from.is_proven) {
            Room::None => return Begun::Refused(Refusal::Busy),
            Room::AfterProof => return Begun::NeedsProof,
            Room::Free if from.is_proven || self.budget.take(now) => {}
            Room::Free => return Begun::NeedsProof,
        }
        if !curve::is_on_curve(&g_x) {
            return Begun::Refused(Refusal::NotOnCurve);
        }
        let is_taken = |c_r, sessions: &Sessions, credentials: &dyn Credentials| {
            c_r == c_i
                || is_taken(c_r)
                || sessions.has(c_r)
                || credentials.by_kid(c_r.as_bytes()).is_some()
        };
        let Some(c_r) = self.unused_identifier(is_taken) else {
            return Begun::Refused(Refusal::NoContext);
        };
        self.begin_as(now, from, identity, bytes, (c_i, c_r))
            .map_or_else(Begun::Refused, Begun::Message2)
    }

    /// Begins the handshake with these identifiers, of a message that was checked.
    pub(super) fn begin_as(
        &mut self,
        now: Instant,
        from: &From,
        identity: &Identity,
        bytes: &[u8],
        (c_i, c_r): (Identifier, Identifier),
    ) -> Result<Vec<u8>, Refusal> {
        let (session, message_2) = self.message_2(identity, bytes, (c_i, c_r), from.host)?;
        self.sessions
            .add(now, c_r, (from.owner, from.is_proven), session);
        Ok(message_2)
    }

    /// C_R begins with a zero byte: no enrolled device has such a `kid`, and none will.
    fn unused_identifier(
        &mut self,
        is_taken: impl Fn(Identifier, &Sessions, &dyn Credentials) -> bool,
    ) -> Option<Identifier> {
        let mut random = [0; ATTEMPTS];
        (self.random)(&mut random);
        let short = random.iter().map(|byte| Identifier::new(&[0, *byte]));
        // When most of the 256 short ones are in use.
        let long = random
            .windows(2)
            .map(|pair| Identifier::new(&[0, pair[0], pair[1]]));
        short
            .chain(long)
            .flatten()
            .find(|c_r| !is_taken(*c_r, &self.sessions, &*self.credentials))
    }

    fn message_2(
        &mut self,
        identity: &Identity,
        bytes: &[u8],
        (c_i, c_r): (Identifier, Identifier),
        host: Option<Host>,
    ) -> Result<(Session, Vec<u8>), Refusal> {
        let mut y = Zeroizing::new([0; 32]);
        // Nearly always the first one is a key.
        let g_y = (0..4).find_map(|_| {
            (self.random)(&mut *y);
            Some(curve::public_key(&y)?.0)
        });
        let mut crypto = Suite2 {
            ephemeral: (*y, g_y.ok_or(Refusal::Busy)?),
            accepts: plaintext_3::is_acceptable,
        };
        let start = ResponderStart {
            method: lakers::EDHOC_METHOD,
            y: crypto.ephemeral.0,
            g_y: crypto.ephemeral.1,
        };
        let message =
            lakers::BufferMessage1::new_from_slice(bytes).map_err(|_| Refusal::TooLong)?;
        let (processing, _, _) =
            lakers::r_process_message_1(&start, &mut crypto, &message).map_err(refusal)?;
        let (waiting, message_2) = lakers::r_prepare_message_2(
            &processing,
            &mut crypto,
            library_credential(identity.ccs()).ok_or(Refusal::TooLong)?,
            identity.private(),
            lakers::ConnId::from_slice(c_r.as_bytes()).ok_or(Refusal::TooLong)?,
            CredentialTransfer::ByReference,
            &None,
        )
        .map_err(refusal)?;
        let session = Session {
            c_i,
            y: waiting.y.into(),
            prk_3e2m: waiting.prk_3e2m.into(),
            th_3: waiting.th_3,
            host,
        };
        Ok((session, message_2.as_slice().to_vec()))
    }

    /// Takes message_3 for the handshake with this C_R. Returns what was agreed, and message_4.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        host: Option<Host>,
        c_r: Identifier,
        bytes: &[u8],
    ) -> Result<(Agreed, Vec<u8>), Refusal> {
        let message = message_3::read(bytes)?;
        let session = self
            .sessions
            .take(now, c_r, host)
            .ok_or(Refusal::NoSession)?;
        let mut crypto = Suite2 {
            ephemeral: ([0; 32], [0; 32]),
            accepts: plaintext_3::is_acceptable,
        };
        let mut waiting = lakers::WaitM3 {
            y: *session.y,
            prk_3e2m: *session.prk_3e2m,
            th_3: session.th_3,
        };
        let (mut processing, id_cred, external) =
            lakers::r_parse_message_3(&mut waiting, &mut crypto, &message).map_err(refusal)?;
        let external = external.map_or(0, |item| {
            1 + item.value.map_or(0, |value| value.as_slice().len())
        });
        let (principal, ccs) = self.named(id_cred.as_full_value())?;
        if !plaintext_3::fits(id_cred.as_full_value(), external, &ccs) {
            return Err(Refusal::TooLong);
        }
        let credential = library_credential(&ccs).ok_or(Refusal::TooLong)?;
        let (processed, _) = lakers::r_verify_message_3(&mut processing, &mut crypto, credential)
            .map_err(refusal)?;
        let (completed, message_4) =
            lakers::r_prepare_message_4(&processed, &mut crypto, &None).map_err(refusal)?;
        let none = [0; MAX_KDF_CONTEXT_LEN];
        let parameters = exported((session.c_i, c_r), |label, length| {
            lakers::edhoc_exporter(&completed, &mut crypto, label, &none, 0, length)
        });
        let agreed = Agreed {
            principal,
            parameters: parameters.ok_or(Refusal::NoContext)?,
        };
        Ok((agreed, message_4.as_slice().to_vec()))
    }

    /// The device that a message_3 names.
    fn named(&self, id_cred: &[u8]) -> Result<(Arc<str>, Ccs), Refusal> {
        let found = match Named::read(id_cred) {
            Some(Named::Kid(kid)) => self.credentials.by_kid(kid),
            Some(Named::Ccs(bytes)) => Ccs::from_bytes(bytes)
                .ok()
                .and_then(|ccs| self.credentials.by_kid(ccs.kid()))
                .filter(|(_, enrolled)| enrolled.as_bytes() == bytes),
            None => None,
        };
        found.ok_or(Refusal::UnknownCredential)
    }

    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.sessions.len()
    }
}

/// The context of OSCORE (RFC 9528 Appendix A.1), with own and other's identifier. `export` gets label and length.
pub(super) fn exported(
    (sender_id, recipient_id): (Identifier, Identifier),
    mut export: impl FnMut(u8, usize) -> lakers::BytesMaxBuffer,
) -> Option<Parameters> {
    let secret = Zeroizing::new(export(MASTER_SECRET, MASTER_SECRET_BYTES));
    let salt = export(MASTER_SALT, MASTER_SALT_BYTES);
    Some(Parameters {
        master_secret: MasterSecret::new(&secret[..MASTER_SECRET_BYTES]).ok()?,
        master_salt: salt[..MASTER_SALT_BYTES].to_vec(),
        sender_id,
        recipient_id,
        id_context: None,
    })
}

/// A credential as the library takes it. Not by its parser, which knows less.
pub(super) fn library_credential(ccs: &Ccs) -> Option<Credential> {
    Some(Credential {
        bytes: lakers::BufferCred::new_from_slice(ccs.as_bytes()).ok()?,
        key: CredentialKey::EC2Compact(*ccs.x()),
        kid: Some(lakers::BufferKid::new_from_slice(ccs.kid()).ok()?),
        cred_type: CredentialType::CCS,
    })
}

/// What an error of the library means here.
fn refusal(error: EDHOCError) -> Refusal {
    match error {
        EDHOCError::MacVerificationFailed => Refusal::NotAuthentic,
        EDHOCError::CredentialTooLongError
        | EDHOCError::EadTooLongError
        | EDHOCError::EncodingError => Refusal::TooLong,
        _ => Refusal::Malformed,
    }
}
