//! The library's cryptography, with the cookies of the front in place of its own.
//!
//! The library keeps state for each ClientHello, so it sees a ClientHello only after the front has proven its address.
//! It checks the cookie once more: HMAC(a secret of the instance, client random). The front cannot know that secret,
//! and the cookie belongs to the transcript that Finished covers, so neither side can change it. Here HMAC returns the
//! front's cookie for the client random of the ClientHello that is being accepted, and nothing else is different.

use std::cell::Cell;

use dimpl::CryptoError;
use dimpl::crypto::{CryptoProvider, HashAlgorithm, HmacProvider, rust_crypto};

use super::cookie::COOKIE;

thread_local! {
    /// Client random and cookie of the ClientHello that this thread is accepting.
    static ACCEPTED: Cell<Option<([u8; 32], [u8; COOKIE])>> = const { Cell::new(None) };
}

/// The provider for servers.
pub(super) fn server() -> CryptoProvider {
    CryptoProvider {
        hmac_provider: &CookieHmac,
        ..rust_crypto::default_provider()
    }
}

/// Runs `accept`, in which the library takes `cookie` for the ClientHello with this random.
pub(super) fn accepting<T>(
    random: [u8; 32],
    cookie: [u8; COOKIE],
    accept: impl FnOnce() -> T,
) -> T {
    /// Also if `accept` panics.
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            ACCEPTED.set(None);
        }
    }
    let _reset = Reset;
    ACCEPTED.set(Some((random, cookie)));
    accept()
}

#[derive(Debug)]
struct CookieHmac;

impl HmacProvider for CookieHmac {
    fn hmac(
        &self,
        hash: HashAlgorithm,
        key: &[u8],
        bytes: &[u8],
        out: &mut [u8],
    ) -> Result<usize, CryptoError> {
        if let Some((random, cookie)) = ACCEPTED.get()
            && bytes == random
            && let Some(out) = out.first_chunk_mut()
        {
            *out = cookie;
            return Ok(COOKIE);
        }
        rust_crypto::default_provider()
            .hmac_provider
            .hmac(hash, key, bytes, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_accepted_client_random_gets_the_cookie_and_only_meanwhile() {
        let hmac = |bytes: &[u8]| CookieHmac.hmac_sha256(b"key", bytes).expect("a tag");
        let before = hmac(&[1; 32]);
        accepting([1; 32], [2; 32], || {
            assert_eq!(hmac(&[1; 32]), [2; 32]);
            assert_ne!(hmac(&[3; 32]), [2; 32]);
        });
        assert_eq!(hmac(&[1; 32]), before);
    }
}
