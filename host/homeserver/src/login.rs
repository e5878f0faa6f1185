//! Logins that pass by: which user has which access token.

use contract::Outcome;
use contract::secret::AccessToken;
use serde::Deserialize;

use super::prepared_call::PreparedCall;

/// A user has got an access token from the homeserver.
pub struct Login {
    /// The user's id.
    pub user: String,
    /// The token.
    pub token: AccessToken,
}

/// The homeserver's response (Matrix 1.13, client-server API, §5.7.2 and §5.8.1).
#[derive(Deserialize)]
struct Response<'a> {
    user_id: String,
    /// Borrowed: no copy of it stays in memory.
    access_token: &'a str,
}

impl PreparedCall {
    /// The login that this call has led to: a success of `POST /_matrix/client/{version}/login` or `/register`.
    #[must_use]
    pub fn login(&self, outcome: &Outcome) -> Option<Login> {
        let path: Vec<&str> = self.request.path().iter().map(String::as_str).collect();
        let ["_matrix", "client", _, "login" | "register"] = path[..] else {
            return None;
        };
        let response = outcome
            .as_ref()
            .ok()
            .filter(|response| response.status == 200)?;
        let Response {
            user_id,
            access_token,
        } = serde_json::from_slice(&response.body).ok()?;
        let token = AccessToken::parse(access_token.as_bytes()).ok()?;
        Some(Login {
            user: user_id,
            token,
        })
    }
}
