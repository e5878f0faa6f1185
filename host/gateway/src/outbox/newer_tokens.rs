//! Access tokens that users have got while their messages waited: the one in the store may have ended.

use std::cell::RefCell;
use std::collections::HashMap;

use contract::secret::AccessToken;

/// Users with messages that wait. Beyond it, those whose token has ended wait until their device sends again.
const MOST: usize = 1024;

/// The last token of a user, by the account's number in the outbox.
#[derive(Default)]
pub(super) struct NewerTokens(RefCell<HashMap<u64, Newer>>);

struct Newer {
    token: AccessToken,
    /// Whether all messages of the account are sent with it: the homeserver has refused an earlier one.
    is_used: bool,
}

impl NewerTokens {
    /// The user has sent, or has got, this token. `is_used`: the one before is refused.
    pub(super) fn note(&self, account: u64, token: &AccessToken, is_used: bool) {
        let mut tokens = self.0.borrow_mut();
        if tokens.len() >= MOST && !tokens.contains_key(&account) {
            tokens.clear();
        }
        let before = tokens.get(&account).is_some_and(|newer| newer.is_used);
        let newer = Newer {
            token: token.clone(),
            is_used: is_used || before,
        };
        tokens.insert(account, newer);
    }

    /// The user has this token in the store. Only where none is known: of two devices of a user, each with a token that
    /// the homeserver refuses, one would bring back the other's for ever.
    pub(super) fn note_first(&self, account: u64, token: &AccessToken) {
        if !self.0.borrow().contains_key(&account) {
            self.note(account, token, false);
        }
    }

    /// The token that all messages of the account are sent with; none: each with its own.
    pub(super) fn used(&self, account: u64) -> Option<AccessToken> {
        let tokens = self.0.borrow();
        let newer = tokens.get(&account).filter(|newer| newer.is_used)?;
        Some(newer.token.clone())
    }

    /// Whether it is the last token of the user.
    pub(super) fn is_last(&self, account: u64, token: &AccessToken) -> bool {
        let tokens = self.0.borrow();
        let last = tokens.get(&account);
        last.is_some_and(|newer| newer.token.is(token))
    }

    /// The homeserver has refused this token. Returns whether the user has another one, which is used from now on.
    pub(super) fn refused(&self, account: u64, token: &AccessToken) -> bool {
        let mut tokens = self.0.borrow_mut();
        let other = tokens
            .get_mut(&account)
            .filter(|newer| !newer.token.is(token));
        other.map(|newer| newer.is_used = true).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> AccessToken {
        AccessToken::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_newer_token_is_used_when_an_earlier_one_is_refused() {
        let tokens = NewerTokens::default();
        assert!(!tokens.refused(1, &token("old")), "there is no other one");
        tokens.note(1, &token("new"), false);
        assert!(tokens.used(1).is_none() && tokens.is_last(1, &token("new")));
        assert!(tokens.refused(1, &token("old")));
        assert!(tokens.used(1).unwrap().is(&token("new")));
        assert!(!tokens.refused(1, &token("new")), "that is the last one");
        assert!(tokens.used(2).is_none(), "another account");
    }

    #[test]
    fn two_tokens_that_are_refused_in_turn_come_to_an_end() {
        let tokens = NewerTokens::default();
        let (one, other) = (token("one"), token("other"));
        let refused = |used: &AccessToken, of_session: &AccessToken| {
            tokens.note_first(1, of_session);
            tokens.refused(1, used)
        };
        assert!(refused(&one, &other), "the second device's is tried");
        assert!(!refused(&other, &one), "the first one's was refused");
        assert!(!refused(&other, &other));
    }

    #[test]
    fn they_are_bounded() {
        let tokens = NewerTokens::default();
        for account in 0..=MOST as u64 {
            tokens.note(account, &token("t"), true);
        }
        assert_eq!(tokens.0.borrow().len(), 1);
        assert!(tokens.used(MOST as u64).is_some());
    }
}
