//! The record of a session in the store.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

use super::table::Kept;
use crate::stored_token::StoredToken;

/// A session as it is stored. The fields of a released version stay where they are: records are read by their order.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    principal: &'a str,
    origin: &'a str,
    user: &'a str,
    opened: Option<u64>,
    token: StoredToken,
}

/// A record that this gateway cannot read. It shows nothing of the record, which has a token in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of a session cannot be read; its device has to log in again")]
pub(super) struct Unreadable;

/// For the store.
pub(super) fn encode(principal: &str, kept: &Kept) -> Vec<u8> {
    let stored = Stored {
        principal,
        origin: kept.origin.as_str(),
        user: &kept.user,
        opened: kept.opened,
        token: StoredToken(kept.token.clone()),
    };
    postcard::to_allocvec(&stored)
        .unwrap_or_else(|_| unreachable!("texts and numbers can always be written"))
}

/// From the store: the principal, and its session.
pub(super) fn decode(number: u64, bytes: &[u8]) -> Result<(Arc<str>, Kept), Unreadable> {
    let stored: Stored<'_> = postcard::from_bytes(bytes).map_err(|_| Unreadable)?;
    let kept = Kept {
        number,
        origin: Url::parse(stored.origin).map_err(|_| Unreadable)?,
        user: stored.user.into(),
        token: stored.token.0,
        opened: stored.opened,
    };
    Ok((stored.principal.into(), kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::secret::AccessToken;

    fn kept() -> Kept {
        Kept {
            number: 7,
            origin: Url::parse("https://h.example").unwrap(),
            user: "@kitchen:h.example".into(),
            token: AccessToken::parse(b"syt_secret").unwrap(),
            opened: Some(1_800_000_000),
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let (principal, read) = decode(7, &encode("kitchen", &kept())).unwrap();
        assert_eq!(&*principal, "kitchen");
        assert_eq!(
            (read.number, &read.origin, &read.user, read.opened),
            (7, &kept().origin, &kept().user, kept().opened)
        );
        assert!(read.token.is(&kept().token));
    }

    #[test]
    fn a_cut_or_foreign_row_is_refused_without_a_word_of_it() {
        let bytes = encode("kitchen", &kept());
        for end in 0..bytes.len() {
            let error = decode(7, &bytes[..end]).map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("kitchen"));
        }
        assert!(decode(7, &[0xff; 40]).is_err());
    }
}
