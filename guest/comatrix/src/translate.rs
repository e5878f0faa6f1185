//! From a call of the gateway to the resource that it is for, and back.

use comatrix_sdk::bindings::{CallError, Context, Effect, Failure, HttpResponse, Message};
use comatrix_sdk::code;
use comatrix_sdk::settings::Settings;

use crate::describe::{Resource, resource};
use crate::refusal::{Errors, Refusal};
use crate::{getmsg, join, login, logout, register, send, time};

/// A request has come in.
pub fn begin(
    settings: &dyn Settings,
    context: &Context,
    request: &Message,
) -> Result<Effect, Failure> {
    let effect = match resource(context.link) {
        Some(Resource::Register) => register::begin(context, request),
        Some(Resource::Login) => login::begin(context, request),
        Some(Resource::Logout) => logout::begin(context),
        Some(Resource::Join) => join::begin(settings, context, request),
        Some(Resource::Send) => send::begin(settings, context, request),
        Some(Resource::Getmsg) => getmsg::begin(settings, context, request),
        Some(Resource::Time) => time::begin(context),
        None => Err(unknown_link(context)),
    };
    answer(settings, effect)
}

/// The outcome of the last call is there.
pub fn resume(
    settings: &dyn Settings,
    context: &Context,
    state: &[u8],
    outcome: Result<HttpResponse, CallError>,
) -> Result<Effect, Failure> {
    let effect = match resource(context.link) {
        Some(Resource::Register) => register::resume(context, state, outcome),
        Some(Resource::Login) => login::resume(context, state, outcome),
        Some(Resource::Logout) => logout::resume(context, state, outcome),
        Some(Resource::Join) => join::resume(context, state, outcome),
        Some(Resource::Send) => send::resume(context, state, outcome),
        Some(Resource::Getmsg) => getmsg::resume(context, state, outcome),
        Some(Resource::Time) | None => Err(unknown_link(context)),
    };
    answer(settings, effect)
}

fn unknown_link(context: &Context) -> Refusal {
    Refusal::new(
        code::INTERNAL_SERVER_ERROR,
        format!(
            "the rule has no such link, or it makes no calls: {}",
            context.link
        ),
    )
}

fn answer(settings: &dyn Settings, effect: Result<Effect, Refusal>) -> Result<Effect, Failure> {
    effect.or_else(|refusal| Errors::of(settings).answer(refusal))
}
