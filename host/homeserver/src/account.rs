//! The account in whose name a call is made.

use super::homeserver::Homeserver;
use contract::secret::AccessToken;

/// The account in whose name a call is made: a homeserver, and the attached access token.
pub struct Account {
    pub(super) homeserver: Homeserver,
    pub(super) token: Option<AccessToken>,
}

impl Account {
    /// Whether both are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.belongs(&other.homeserver, other.token.as_ref())
    }

    /// Whether a call to this homeserver with this token is in its name.
    pub(super) fn belongs(&self, homeserver: &Homeserver, token: Option<&AccessToken>) -> bool {
        let same_token = match (&self.token, token) {
            (Some(one), Some(other)) => one.is(other),
            (None, None) => true,
            _ => false,
        };
        same_token && self.homeserver.is(homeserver)
    }
}
