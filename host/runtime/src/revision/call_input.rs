//! The input of a call for a device, and how the call ended. Inputs of failed calls are kept to be tried again.

use crate::call::Trap;
use contract::bindings::{CallError, Context, Effect, Failure, HttpResponse, Message};
use contract::{CoapOption, Outcome};

/// Bytes of an input that is kept. Larger ones are rarely of ordinary size.
const KEPT_BYTES: usize = if cfg!(feature = "router") {
    16 << 10
} else {
    64 << 10
};

/// The input of a call.
#[derive(Clone, Copy)]
pub enum CallInput<'a> {
    /// Of `translator.begin`.
    Begin(&'a Context, &'a Message),
    /// Of `translator.resume`: context, state, and the outcome of the homeserver call.
    Resume(
        &'a Context,
        &'a [u8],
        Result<&'a HttpResponse, &'a CallError>,
    ),
    /// Of `outbox.accepted`.
    Accepted,
    /// Of `observer.polled`: the bytes of the response.
    Polled(usize),
    /// Of `observer.notify`: the bytes of the change.
    Notify(usize),
}

/// How a call ended.
#[derive(Clone, Copy)]
pub enum CallEnd<'a> {
    /// With a result for the device, which may be a failure of the rule's own.
    Result,
    /// With a homeserver call or a delivery: the next call of the component decides whether the device gets a result.
    Continues,
    /// Without a result.
    Trapped(&'a Trap),
}

impl<'a> CallEnd<'a> {
    /// Of a call that began or continued an exchange.
    #[must_use]
    pub fn of(result: &'a Result<Result<Effect, Failure>, Trap>) -> Self {
        match result {
            Ok(Ok(Effect::Call(_) | Effect::Deliver(_))) => Self::Continues,
            Ok(_) => Self::Result,
            Err(trap) => Self::Trapped(trap),
        }
    }

    /// Of another call.
    #[must_use]
    pub fn of_trap(trap: Option<&'a Trap>) -> Self {
        trap.map_or(Self::Result, Self::Trapped)
    }
}

/// The input of a failed call. It has no `Debug`: passwords may be in it.
pub enum FailedCall {
    /// Of `translator.begin`.
    Begin(Context, Message),
    /// Of `translator.resume`.
    Resume(Context, Vec<u8>, Outcome),
}

impl CallInput<'_> {
    /// The number of kinds.
    pub(super) const KINDS: usize = 5;

    /// Its kind, below [`KINDS`](Self::KINDS): sizes are compared within a kind.
    pub(super) fn kind(&self) -> usize {
        match self {
            Self::Begin(..) => 0,
            Self::Resume(..) => 1,
            Self::Polled(_) => 2,
            Self::Notify(_) => 3,
            Self::Accepted => 4,
        }
    }

    /// The bytes that a device or a homeserver has chosen.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Begin(_, request) => {
                let option = |option: &CoapOption| option.value.len() + 2;
                let options: usize = request.options.iter().map(option).sum();
                options + request.payload.len()
            }
            Self::Resume(_, _, outcome) => outcome.map_or(0, |response| response.body.len()),
            Self::Accepted => 0,
            Self::Polled(bytes) | Self::Notify(bytes) => *bytes,
        }
    }

    /// A copy to be tried again; none of an input that is too large, or that only this revision understands.
    pub(super) fn kept(&self) -> Option<FailedCall> {
        if self.bytes() > KEPT_BYTES {
            return None;
        }
        match *self {
            Self::Begin(context, request) => {
                Some(FailedCall::Begin(context.clone(), request.clone()))
            }
            Self::Resume(context, state, outcome) => Some(FailedCall::Resume(
                context.clone(),
                state.to_owned(),
                outcome.cloned().map_err(Clone::clone),
            )),
            Self::Accepted | Self::Polled(_) | Self::Notify(_) => None,
        }
    }
}

/// Whether a failure can be due to the size of the input alone.
pub(super) fn grows_with_input(trap: &Trap) -> bool {
    matches!(trap, Trap::TimedOut { .. } | Trap::OutOfMemory { .. })
}
