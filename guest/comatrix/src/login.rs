//! `/login`: log in with a password
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3login>).

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpResponse, Message};
use comatrix_sdk::json;

use crate::call::{call, then};
use crate::fields::{answer_format, expect_text, payload, text};
use crate::refusal::Refusal;
use crate::register::logged_in;
use crate::state::{format_only, recall};
use crate::target::{Endpoint, mismatch};

/// Bytes of an access token: what the gateway accepts in option 256.
pub const MAX_TOKEN: usize = 1024;

/// Payload: `type` = `m.login.password`, `identifier.type` = `m.id.user`, `identifier.user`, `password`; further
/// members are passed on.
pub fn begin(context: &Context, request: &Message) -> Result<Effect, Refusal> {
    if !matches!(Endpoint::of(context), None | Some(Endpoint::Login)) {
        return Err(mismatch("/1"));
    }
    let login = payload(request)?;
    expect_text(&login, "type", "m.login.password")?;
    expect_text(&login, "identifier.type", "m.id.user")?;
    text(&login, "identifier.user")?;
    text(&login, "password")?;
    let request_of_device = call(
        context,
        "none",
        "POST",
        &["login"],
        Some(json::encode(&login)),
    );
    Ok(then(request_of_device, format_only(answer_format(request))))
}

/// Answers `{"access_token"}` with 2.04.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, _) = recall(state)?;
    logged_in(context, format, outcome)
}
