//! `/logout`: end an access token, or all of an account's
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3logout>).

use comatrix_sdk::bindings::{CallError, Context, Effect, HttpResponse, SessionChange};
use comatrix_sdk::code;
use comatrix_sdk::message::response;
use comatrix_sdk::payload::Format;

use crate::call::{call, then};
use crate::homeserver_error::success;
use crate::refusal::Refusal;
use crate::state::{format_only, recall};
use crate::success::with_session;
use crate::target::{Endpoint, mismatch};

/// Takes the device's own token only: with the gateway's, one device would log all others out.
pub fn begin(context: &Context) -> Result<Effect, Refusal> {
    let path: &[&str] = match Endpoint::of(context) {
        None | Some(Endpoint::Logout) => &["logout"],
        Some(Endpoint::LogoutAll) => &["logout", "all"],
        Some(_) => return Err(mismatch("/3")),
    };
    // The answer is empty, so Accept is not looked at; a homeserver's error comes as CBOR.
    Ok(then(
        call(context, "device", "POST", path, Some(b"{}".to_vec())),
        format_only(Format::Cbor),
    ))
}

/// Answers 2.04 without a payload.
pub fn resume(
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Refusal> {
    let (format, _) = recall(state)?;
    success(context, format, outcome)?;
    Ok(with_session(
        response(code::CHANGED, None, None, Vec::new()),
        SessionChange::Close,
    ))
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{call, local, path, proxied, reply, success};

    use super::*;

    #[test]
    fn only_the_devices_own_token_is_ended() {
        for (context, expected) in [
            (local(&[]), "/logout"),
            (proxied("3"), "/logout"),
            (proxied("_matrix/client/r0/logout/all"), "/logout/all"),
        ] {
            let step = call(begin(&context));
            assert_eq!(
                (path(&step).as_str(), step.request.credential.as_str()),
                (expected, "device")
            );
        }
    }

    #[test]
    fn the_answer_is_empty_and_closes_the_session() {
        let context = local(&[]);
        let answer = reply(resume(
            &context,
            &call(begin(&context)).state,
            success("{}"),
        ));
        assert_eq!(answer.message, response(code::CHANGED, None, None, vec![]));
        assert_eq!(answer.session, Some(SessionChange::Close));
    }
}
