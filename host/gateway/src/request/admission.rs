//! What the host checks before a rule sees a request: path, method, Proxy-Uri, token, formats.

use std::sync::Arc;

use super::error::GatewayError;
use super::proxy_uri::{self, ProxyUri};
use coap::{self, code, option};
use contract::path_segment::is_plain;
use contract::secret::AccessToken;
use contract::{CoapOption, Context, Match, Message, Mismatch, Target};
use homeserver::Homeserver;
use runtime::{MountTable, Revision};
use url::Url;

/// A request that a rule will see.
pub struct Admitted {
    /// The link it means.
    pub found: Match,
    /// The target of its Proxy-Uri.
    target: Option<Target>,
    /// Pairs of `context.facts`.
    facts: Vec<(String, String)>,
    /// The rest, for the gateway.
    request: AdmittedRequest,
}

/// A request without the options that end at the host, and the values of those options.
pub struct AdmittedRequest {
    /// The request as the rule gets it.
    pub message: Message,
    /// The homeserver of its Proxy-Uri.
    pub homeserver: Option<Homeserver>,
    /// Option 256.
    pub token: Option<AccessToken>,
    /// Whether the rule may begin an observation.
    pub observes: bool,
}

impl Admitted {
    /// The context of the rule's calls, and the request.
    #[must_use]
    pub fn split(
        self,
        flow_id: String,
        now: Option<u64>,
        principal: Option<&str>,
    ) -> (Context, AdmittedRequest) {
        let context = Context {
            link: self.found.link,
            captures: self.found.captures,
            requested: self.target,
            principal: principal.map(str::to_owned),
            flow_id,
            now,
            facts: self.facts,
        };
        (context, self.request)
    }
}

/// Options that end at the host. The token is never a rule's; the rule learns of the others by other means: Observe, for
/// one, comes back where the rule may begin an observation.
const HOST_OPTIONS: [u16; 9] = [
    option::OBSERVE,
    option::ACCESS_TOKEN,
    option::PROXY_URI,
    option::PROXY_SCHEME,
    option::URI_HOST,
    option::URI_PORT,
    option::HOP_LIMIT,
    option::ECHO,
    option::NO_RESPONSE,
];

/// The rule and link that a request means.
///
/// # Errors
/// 4.04, 4.05; 5.05 where a Proxy-Uri comes without a path that the rule knows.
pub fn find<'a>(
    request: &coap::Message,
    path: &[&str],
    table: &'a MountTable,
    disabled: &[String],
) -> Result<(&'a Arc<Revision>, Match), GatewayError> {
    let proxied = request.option(option::PROXY_URI).is_some();
    lookup(path, request.code, table, disabled).map_err(|mismatch| match mismatch {
        // A method that nobody has is 4.05 wherever it is sent (RFC 7252 §5.8).
        Mismatch::Path if !(code::GET..=code::IPATCH).contains(&request.code) => GatewayError::Method,
        Mismatch::Path if proxied => GatewayError::ProxyingNotSupported(
            "a Proxy-Uri needs a Uri-Path that this gateway knows; GET /.well-known/core lists them",
        ),
        Mismatch::Path => GatewayError::NotFound,
        Mismatch::Method => GatewayError::Method,
    })
}

/// The rule and link that a path and method mean, unless they are switched off.
pub(super) fn lookup<'a>(
    path: &[&str],
    method: u8,
    table: &'a MountTable,
    disabled: &[String],
) -> Result<(&'a Arc<Revision>, Match), Mismatch> {
    match path.first() {
        Some(first) if disabled.iter().any(|name| name == first) => Err(Mismatch::Path),
        _ => table.find(path, method),
    }
}

/// Checks a request for the link that it means. `observes`: it asks for an observation, and there is room for one.
/// `homeserver_of`: the homeserver of a Proxy-Uri's origin, or why this gateway does not call it.
///
/// # Errors
/// [`GatewayError`]: the response that the host makes itself.
pub fn admit(
    request: coap::Message,
    found: Match,
    revision: &Revision,
    observes: bool,
    homeserver_of: impl FnOnce(&Url) -> Result<Homeserver, &'static str>,
) -> Result<Admitted, GatewayError> {
    check_preconditions(&request)?;
    let token = request
        .option(option::ACCESS_TOKEN)
        .map(AccessToken::parse)
        .transpose()?;
    let requested = request
        .option(option::PROXY_URI)
        .map(|value| {
            let ProxyUri { origin, target } = proxy_uri::parse(value)?;
            let homeserver = homeserver_of(&origin).map_err(GatewayError::ProxyingNotSupported)?;
            Ok::<_, GatewayError>((homeserver, target))
        })
        .transpose()?;
    let (homeserver, target) = requested.unzip();
    let link = &revision.description().links[usize::from(found.link)];
    check_format(&request, &link.accepts)?;
    check_accept(&request, &link.produces)?;
    let observes = observes && link.observable && revision.observes();
    let accept = request.uint_option(option::ACCEPT);
    let facts = accept.map(|accept| ("accept".to_owned(), accept.to_string()));
    let mut message = for_rule(request);
    if observes {
        insert_observe(&mut message);
    }
    Ok(Admitted {
        found,
        target,
        facts: facts.into_iter().collect(),
        request: AdmittedRequest {
            message,
            homeserver,
            token,
            observes,
        },
    })
}

/// RFC 8768 §3: how many proxies a request may still pass. Forwarding, which 1 forbids, is calling the homeserver that a
/// Proxy-Uri names; for what has none, this gateway is the origin, whomever it asks. HTTP has no field to count on in.
///
/// # Errors
/// 4.00 for 0 and above 255; 5.08.
pub fn check_hop_limit(request: &coap::Message) -> Result<(), GatewayError> {
    if request.option(option::HOP_LIMIT).is_none() {
        return Ok(());
    }
    let proxied = request.option(option::PROXY_URI).is_some();
    match request.uint_option(option::HOP_LIMIT) {
        Some(1) if proxied => Err(GatewayError::HopLimitReached),
        Some(1..=255) => Ok(()),
        _ => Err(GatewayError::HopLimit),
    }
}

/// RFC 7252 §5.10.8: every resource here exists, so no If-None-Match holds. Which ETag a resource has is known once it was
/// asked for; so If-Match, but for the empty one, which asks only that the resource exists, holds for no request that
/// changes something.
fn check_preconditions(request: &coap::Message) -> Result<(), GatewayError> {
    let mut etags = request.options(option::IF_MATCH).peekable();
    let matches =
        code::is_safe(request.code) || etags.peek().is_none() || etags.any(<[u8]>::is_empty);
    if matches && request.option(option::IF_NONE_MATCH).is_none() {
        Ok(())
    } else {
        Err(GatewayError::Precondition)
    }
}

/// RFC 7252 §5.10.3: a resource that takes payloads takes them in known formats.
///
/// # Errors
/// 4.15.
fn check_format(request: &coap::Message, accepts: &[u16]) -> Result<(), GatewayError> {
    let format = request.uint_option(option::CONTENT_FORMAT);
    let known = accepts.is_empty()
        || format.is_some_and(|format| accepts.iter().any(|known| u32::from(*known) == format));
    if known {
        Ok(())
    } else {
        Err(GatewayError::UnsupportedFormat)
    }
}

/// RFC 7252 §5.10.4. Problem details (RFC 9290) are the format of errors: whoever asks for a representation with them may
/// get one; what changes something must not be done for an answer that cannot be given.
///
/// # Errors
/// 4.06.
fn check_accept(request: &coap::Message, produces: &[u16]) -> Result<(), GatewayError> {
    let met = produces.is_empty()
        || request
            .uint_option(option::ACCEPT)
            .is_none_or(|accept| produces.iter().any(|format| u32::from(*format) == accept));
    let problems = Some(u32::from(option::content_format::PROBLEM_DETAILS));
    let only_problems =
        code::is_safe(request.code) && request.uint_option(option::ACCEPT) == problems;
    if met || only_problems {
        Ok(())
    } else {
        Err(GatewayError::NotAcceptable)
    }
}

/// The request as a rule gets it.
fn for_rule(request: coap::Message) -> Message {
    Message {
        code: request.code,
        options: request
            .options
            .into_iter()
            .filter(|option| !HOST_OPTIONS.contains(&option.number))
            .map(|option| CoapOption {
                number: option.number,
                value: option.value,
            })
            .collect(),
        payload: request.payload,
    }
}

/// Observe, empty, in its place: `types.message`.
fn insert_observe(message: &mut Message) {
    let options = &mut message.options;
    let place = options.partition_point(|option| option.number < option::OBSERVE);
    let (number, value) = (option::OBSERVE, Vec::new());
    options.insert(place, CoapOption { number, value });
}

/// Uri-Path as text.
///
/// # Errors
/// 4.00 for segments that are not UTF-8, empty, dots or with control characters. A single empty segment is the
/// root (RFC 7252 §6.5).
pub fn path(request: &coap::Message) -> Result<Vec<&str>, GatewayError> {
    let segments: Vec<&str> = request
        .options(option::URI_PATH)
        .map(|segment| std::str::from_utf8(segment).map_err(|_| GatewayError::UriPath))
        .collect::<Result<_, _>>()?;
    match segments.as_slice() {
        [""] => Ok(Vec::new()),
        segments if segments.iter().all(|segment| is_plain(segment)) => Ok(segments.to_vec()),
        _ => Err(GatewayError::Segment),
    }
}

/// Whether this is the request for discovery (RFC 6690 §4).
#[must_use]
pub fn is_discovery(path: &[&str]) -> bool {
    path == [".well-known", "core"]
}

/// The request's method is GET, its preconditions hold, and its Accept allows link-format.
///
/// # Errors
/// 4.05, 4.12, 4.06.
pub fn admit_discovery(request: &coap::Message) -> Result<(), GatewayError> {
    if request.code != code::GET {
        return Err(GatewayError::Method);
    }
    check_preconditions(request)?;
    check_accept(request, &[crate::request::discovery::LINK_FORMAT])
}
