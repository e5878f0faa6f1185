//! One exchange on the desk: as the gateway drives it, with answers that were given beforehand.

use super::error::ToolError;
use super::observation::observe;

use coap::option::{ACCEPT, OBSERVE, URI_PATH};
use contract::{
    CallError, CoapOption, Context, Effect, HttpRequest, HttpResponse, Message, Mismatch,
    SessionChange, Step, Target, Watch,
};
use gateway::request::GatewayError;
use gateway::request::admission::{check_accept, check_format, for_rule};
use gateway::request::reply::{failed, to_coap};
use runtime::Revision;

/// The id of every exchange on the desk: that of the vectors, so that output can be compared.
const FLOW_ID: &str = "00112233445566778899aabbccddeeff";

/// What a homeserver call gets.
pub(super) type Outcome = Result<HttpResponse, CallError>;

/// A step of an exchange.
#[derive(Debug)]
pub(super) enum Event {
    /// The device's request, and the index of the link that it means.
    Request(coap::Message, Option<u16>),
    /// A call that the rule wants made.
    Call {
        request: HttpRequest,
        /// Bytes of what it wants to find again.
        state: usize,
    },
    /// What it gets.
    Outcome(Outcome),
    /// The rule's answer.
    Answer {
        message: coap::Message,
        session: Option<SessionChange>,
        /// The topic of an observation that it starts.
        watch: Option<String>,
    },
    /// Changes of the observation could not be had, so it ends with 5.03.
    Lost,
    /// The gateway's own answer, in place of the rule's.
    Refused(GatewayError),
}

/// What goes in.
pub(super) struct Setting {
    pub(super) request: coap::Message,
    pub(super) requested: Option<Target>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) now: Option<u64>,
}

/// Lets the rule translate; `events` holds what has happened, also before an error.
pub(super) fn exchange(
    revision: &Revision,
    setting: Setting,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    let request = setting.request;
    let found = find(revision, &request);
    let link = found.as_ref().ok().map(|found| found.link);
    events.push(Event::Request(request.clone(), link));
    let admitted = found.and_then(|found| {
        let link = &revision.description().links[usize::from(found.link)];
        check_format(&request, &link.accepts)?;
        check_accept(&request, &link.produces)?;
        Ok(found)
    });
    let found = match admitted {
        Ok(found) => found,
        Err(refusal) => {
            events.push(Event::Refused(refusal));
            return Ok(());
        }
    };
    let accept = request.uint_option(ACCEPT);
    let link = &revision.description().links[usize::from(found.link)];
    let observes =
        link.observable && revision.observes() && request.uint_option(OBSERVE) == Some(0);
    let context = Context {
        link: found.link,
        captures: found.captures,
        requested: setting.requested,
        principal: None,
        flow_id: FLOW_ID.to_owned(),
        now: setting.now,
        facts: accept
            .map(|accept| ("accept".to_owned(), accept.to_string()))
            .into_iter()
            .collect(),
    };
    let mut outcomes = setting.outcomes.into_iter();
    let mut result = revision.begin(&context, &with_observe(for_rule(request), observes))?;
    for number in 1.. {
        let Step { request, state } = match result {
            Ok(Effect::Call(step)) => step,
            Ok(Effect::Reply(reply)) => {
                let watch = reply.watch.filter(|_| observes);
                answered(reply.message, reply.session, watch.as_ref(), events)?;
                return match watch {
                    Some(watch) => observe(revision, &context, watch, outcomes, events),
                    None => Ok(()),
                };
            }
            Err(failure) => {
                events.push(Event::Answer {
                    message: failed(failure).map_err(|refusal| broken(&refusal))?,
                    session: None,
                    watch: None,
                });
                return Ok(());
            }
        };
        let limits = revision.limits();
        let (bytes, limit) = (state.len(), limits.state);
        if number > limits.steps {
            let fault = format!("it asks for more than {} calls", limits.steps);
            return Err(ToolError::Contract(fault));
        }
        if bytes > limit {
            let fault = format!("its state has {bytes} bytes, the limit is {limit}");
            return Err(ToolError::Contract(fault));
        }
        let outcome = match revision.needs(&request) {
            true => outcomes.next(),
            // As on a gateway: such a call is not made.
            false => Some(Err(CallError {
                reason: "denied".into(),
                sent: false,
            })),
        };
        events.push(Event::Call {
            request,
            state: bytes,
        });
        let outcome = outcome.ok_or(ToolError::NoResponse(number as usize))?;
        events.push(Event::Outcome(outcome.clone()));
        result = revision.resume(&context, &state, outcome.as_ref())?;
    }
    unreachable!("it counts until the rule answers or has made its calls")
}

fn find(revision: &Revision, request: &coap::Message) -> Result<contract::Match, GatewayError> {
    let segments: Vec<_> = request
        .options(URI_PATH)
        .map(|segment| std::str::from_utf8(segment).map_err(|_| GatewayError::UriPath))
        .collect::<Result<_, _>>()?;
    let found = revision.find(&segments, request.code);
    found.map_err(|mismatch| match mismatch {
        Mismatch::Path => GatewayError::NotFound,
        Mismatch::Method => GatewayError::Method,
    })
}

/// The rule sees Observe only where an observation would start, and then empty (`types.message`).
fn with_observe(mut request: Message, observes: bool) -> Message {
    let options = &mut request.options;
    options.retain(|option| option.number != OBSERVE);
    if observes {
        let place = options.partition_point(|option| option.number < OBSERVE);
        let (number, value) = (OBSERVE, Vec::new());
        options.insert(place, CoapOption { number, value });
    }
    request
}

fn answered(
    message: Message,
    session: Option<SessionChange>,
    watch: Option<&Watch>,
    events: &mut Vec<Event>,
) -> Result<(), ToolError> {
    events.push(Event::Answer {
        message: to_coap(message).map_err(|refusal| broken(&refusal))?,
        session,
        watch: watch.map(|watch| watch.topic.clone()),
    });
    Ok(())
}

/// What the operator would find in the log.
pub(super) fn broken(refusal: &GatewayError) -> ToolError {
    ToolError::Contract(match refusal {
        GatewayError::RuleBrokeContract(fault) => (*fault).to_owned(),
        other => other.to_string(),
    })
}
