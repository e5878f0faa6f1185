//! A homeserver's response, as the reply to the device.

use comatrix_sdk::bindings::{CallError, Context, Effect, Failure, HttpResponse, Message, Reply};
use comatrix_sdk::call::then;
use comatrix_sdk::code;
use comatrix_sdk::error_response::ErrorResponse;
use comatrix_sdk::homeserver_error::{Repetition, no_response};
use comatrix_sdk::message;
use comatrix_sdk::settings::Settings;

use crate::answer::{Unusable, content, content_type, error};
use crate::plan::{Kind, Plan};
use crate::settings::answer_bytes;
use crate::{feed, links, media, path, request, session, status, versions};

/// The contract's `resume`.
pub fn resume(
    settings: &dyn Settings,
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Failure> {
    let effect = || {
        let plan = Plan::decode(state)?;
        match outcome {
            Ok(response) => answer(settings, &plan, response),
            Err(error) if error.reason == "no-credential" && plan.again.is_some() => {
                again(context, plan)
            }
            Err(error) => Err(without_response(&plan, &error)),
        }
    };
    effect().or_else(ErrorResponse::into_effect)
}

/// The same call without a token.
fn again(context: &Context, mut plan: Plan) -> Result<Effect, ErrorResponse> {
    let path = path::at_homeserver(&links::uri_path(context))?;
    let body = plan.again.take().flatten().map(String::into_bytes);
    let query = std::mem::take(&mut plan.query);
    let call = request::http(
        request::NONE,
        plan.method,
        path,
        query,
        body,
        "application/json",
    );
    Ok(then(call, plan.encode()))
}

fn without_response(plan: &Plan, error: &CallError) -> ErrorResponse {
    match (error.reason.as_str(), plan.kind) {
        ("too-large", Kind::Observed) => feed::too_large(),
        ("too-large", _) => ErrorResponse::bad_gateway(
            "ask for less: the answer is above the gateway's homeserver_answer",
        ),
        ("denied", _) => ErrorResponse::new(
            code::INTERNAL_SERVER_ERROR,
            "the gateway does not make this call; its log says why",
        ),
        _ => no_response(error, false, repetition(plan.method)),
    }
}

fn repetition(method: u8) -> Repetition {
    match method {
        code::GET => Repetition::Harmless,
        code::PUT => Repetition::ByTransaction,
        _ => Repetition::Unsafe,
    }
}

fn answer(
    settings: &dyn Settings,
    plan: &Plan,
    mut response: HttpResponse,
) -> Result<Effect, ErrorResponse> {
    let most = answer_bytes(settings);
    if !matches!(response.status, 200..=299) {
        return Ok(message::reply(error(plan.form, &response, most)?));
    }
    let session = session::change(plan.kind, &response);
    let watch = match plan.kind {
        Kind::Observed => Some(feed::watch(plan, &response)?),
        _ => None,
    };
    let code = status::code(response.status);
    let message = match plan.kind {
        Kind::Media => media(plan, code, response, most)?,
        kind => {
            if kind == Kind::Versions {
                response.body = versions::with_low_bandwidth(settings, &response.body);
            }
            let content = content(plan.form, &response, most);
            let (format, payload) = content.map_err(|error| match error {
                Unusable::TooLarge if kind == Kind::Observed => feed::too_large(),
                error => error.response(&response, most),
            })?;
            // What a homeserver answers to GET can be another thing in the next moment (RFC 7252 §5.10.5).
            let max_age = (plan.method == code::GET).then_some(0);
            message::response(code, format, max_age, payload)
        }
    };
    Ok(Effect::Reply(Reply {
        message,
        session,
        watch,
    }))
}

/// Media as they are, if the device accepts their type.
fn media(
    plan: &Plan,
    code: u8,
    response: HttpResponse,
    most: usize,
) -> Result<Message, ErrorResponse> {
    let format = content_type(&response).and_then(media::content_format);
    if plan
        .accept
        .is_some_and(|accept| format.map(u32::from) != Some(accept))
    {
        return Err(ErrorResponse::new(
            code::NOT_ACCEPTABLE,
            "Accept: leave it out; the medium has another type, or one without a number",
        ));
    }
    if response.body.len() > most {
        return Err(Unusable::TooLarge.response(&response, most));
    }
    // Media never change, so the default of Max-Age does no harm.
    Ok(message::response(code, format, None, response.body))
}
