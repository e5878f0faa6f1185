//! Secrets: values that can be used but not printed.

use std::fmt;
use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

/// Bytes of an access token. Macaroons of old servers exceed 200; none reaches 1,024.
pub const MAX_TOKEN_BYTES: usize = 1024;

/// Distinguishes the digest of a token from other hashes of its text.
const DIGEST_DOMAIN: &[u8] = b"comatrix access token 1";

/// Bytes of a token file that are read: a token and white space around it.
const MAX_FILE_BYTES: u64 = 4096;

/// A Matrix access token without `Bearer `. `Debug` hides it, memory is wiped when it is dropped.
#[derive(Clone)]
pub struct AccessToken(SecretString);

/// A text that cannot be a token. The error repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// No text, or only `Bearer `.
    #[error("the access token is empty")]
    Empty,
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the access token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// It could end an HTTP header early.
    #[error("the access token is not printable ASCII")]
    Characters,
}

impl AccessToken {
    /// Reads a token with or without `Bearer `.
    ///
    /// # Errors
    /// [`NotAToken`]: empty, too long, or not printable ASCII (RFC 6750 §2.1 allows less still).
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAToken> {
        if bytes.len() > MAX_TOKEN_BYTES + b"Bearer ".len() {
            return Err(NotAToken::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NotAToken::Characters)?;
        let token = text.strip_prefix("Bearer ").unwrap_or(text);
        match token {
            "" | "Bearer" => Err(NotAToken::Empty),
            _ if token.len() > MAX_TOKEN_BYTES => Err(NotAToken::TooLong),
            _ if !token.bytes().all(|byte| byte.is_ascii_graphic()) => Err(NotAToken::Characters),
            _ => Ok(Self(token.into())),
        }
    }

    /// Reads a token from a file; ignores white space around it.
    ///
    /// # Errors
    /// A sentence with the file and the remedy.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let mut text = String::new();
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
        let text = SecretString::from(text);
        read.map_err(|error| {
            format!(
                "cannot read the access token from {}: {error}; write the token alone into that file",
                path.display()
            )
        })?;
        Self::parse(text.expose_secret().trim().as_bytes()).map_err(|error| {
            format!(
                "{}: {error}; write the token alone into that file",
                path.display()
            )
        })
    }

    /// Whether the other one is the same token. Only for accepted tokens: the time that it takes reveals the length of
    /// their common prefix.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }

    /// Its number of bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.expose_secret().len()
    }

    /// Identifies the token without revealing it: the SHA-256 of a fixed text and the token. It can be stored.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(DIGEST_DOMAIN);
        hash.chain_update(self.0.expose_secret()).finalize().into()
    }

    /// The value of an Authorization header (RFC 6750 §2.1): printable ASCII, as [`AccessToken::parse`] has checked.
    #[must_use]
    pub fn bearer(&self) -> SecretString {
        format!("Bearer {}", self.0.expose_secret()).into()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_accepted_with_and_without_bearer_and_never_printed() {
        for text in ["syt_abc", "Bearer syt_abc"] {
            let token = AccessToken::parse(text.as_bytes()).unwrap();
            let bearer = token.bearer();
            assert_eq!(bearer.expose_secret(), "Bearer syt_abc");
            assert!(!format!("{token:?} {bearer:?}").contains("syt_abc"));
        }
    }

    #[test]
    fn a_token_has_one_digest_which_is_not_that_of_its_text_alone() {
        let digest = |text: &[u8]| AccessToken::parse(text).unwrap().digest();
        assert_eq!(digest(b"Bearer syt_abc"), digest(b"syt_abc"));
        assert_ne!(digest(b"syt_abc"), digest(b"syt_abd"));
        let alone: [u8; 32] = Sha256::digest(b"syt_abc").into();
        assert_ne!(digest(b"syt_abc"), alone);
    }

    #[test]
    fn text_that_cannot_be_a_token_is_refused() {
        assert_eq!(AccessToken::parse(b"").unwrap_err(), NotAToken::Empty);
        assert_eq!(
            AccessToken::parse(b"Bearer ").unwrap_err(),
            NotAToken::Empty
        );
        assert_eq!(
            AccessToken::parse(b"a\r\nX-Evil: 1").unwrap_err(),
            NotAToken::Characters
        );
        assert_eq!(
            AccessToken::parse(b"a b").unwrap_err(),
            NotAToken::Characters
        );
        assert_eq!(
            AccessToken::parse(b"\xff").unwrap_err(),
            NotAToken::Characters
        );
        assert!(AccessToken::parse(&[b'a'; 1024]).is_ok());
        assert_eq!(
            AccessToken::parse(&[b'a'; 1025]).unwrap_err(),
            NotAToken::TooLong
        );
        assert_eq!(
            AccessToken::parse(&[b'a'; 5000]).unwrap_err(),
            NotAToken::TooLong
        );
    }
}
