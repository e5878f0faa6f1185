//! Texts and bytes that are no credential.

/// Most bytes of a credential. With a subject of 60 characters, and so that it fits into the buffer of the library
/// beside everything else that MAC_3 covers: 256 bytes.
pub const MAX_CCS_BYTES: usize = 160;

/// Most bytes of a `kid`. It is sent in the handshake, so that nobody makes it long: an EUI-64 fits.
pub const MAX_KID_BYTES: usize = 8;

/// A text that is no credential and no public key. It repeats nothing of the text, which may be a private key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CcsError {
    /// Neither hexadecimal digits nor CBOR diagnostic notation.
    #[error(
        "it is neither hexadecimal nor CBOR diagnostic notation; give a public key or a CCS, such as the line that \
         `aiocoap-keygen generate FILE --kid 01` prints"
    )]
    Text,
    /// No CBOR map of the expected form in the shortest encoding.
    #[error(
        "it is no CCS in deterministic CBOR, {{2: SUBJECT, 8: {{1: {{1: 2, 2: KID, -1: 1, -2: X, -3: Y}}}}}}, and no \
         public key of 32 (X), 33 or 65 bytes (SEC 1)"
    )]
    Form,
    /// A claim or a parameter of the key that the gateway would have to understand.
    #[error("it has the claim or parameter {0}, which the gateway does not know; leave it out")]
    Unknown(i64),
    /// The private key is in it.
    #[error(
        "it has the private key of the device (-4) in it, which must stay in the device; give the public part, and \
         make a new key if others have seen this one"
    )]
    PrivateKey,
    /// The key has no `kid`.
    #[error(
        "its key has no kid of 1 to {MAX_KID_BYTES} bytes (parameter 2), by which the device names it; add one"
    )]
    NoKid,
    /// Not a point on P-256.
    #[error("its key is no point on the curve P-256; EDHOC's cipher suite 2 needs one")]
    NotOnCurve,
    /// Longer than [`MAX_CCS_BYTES`].
    #[error("it has {0} bytes, and at most {MAX_CCS_BYTES} are possible; shorten its subject")]
    Long(usize),
}
