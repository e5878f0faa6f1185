//! The response of the homeserver to a registration or a login.

use comatrix_sdk::rule::{HomeserverResponse, Outcome, Reply, Value};

/// Bytes of an access token: the most that the gateway accepts in option 256.
pub const MAX_TOKEN: usize = 1024;

/// Replies `{"access_token"}` with 2.04. The gateway remembers the token for a device whose transport is secured.
pub fn logged_in(response: &HomeserverResponse, (): ()) -> Outcome {
    let token = response.text("access_token", MAX_TOKEN)?;
    let reply = Reply::changed(Value::texts([("access_token", &token)]));
    Ok(reply.open_session(token).into())
}
