//! Access tokens that devices have got after their messages were stored: the token in the store may have ended.

use std::cell::RefCell;
use std::collections::HashMap;

use contract::secret::AccessToken;

/// Devices with messages that waited for a token. Beyond it, a device's messages wait until it sends again.
const MOST: usize = 1024;

/// The last token of a device for a homeserver, if older messages waited for one.
#[derive(Default)]
pub(super) struct NewerTokens(RefCell<HashMap<(u64, u64), AccessToken>>);

impl NewerTokens {
    pub(super) fn set(&self, device: u64, server: u64, token: AccessToken) {
        let mut tokens = self.0.borrow_mut();
        if tokens.len() >= MOST && !tokens.contains_key(&(device, server)) {
            tokens.clear();
        }
        tokens.insert((device, server), token);
    }

    pub(super) fn get(&self, device: u64, server: u64) -> Option<AccessToken> {
        self.0.borrow().get(&(device, server)).cloned()
    }
}
