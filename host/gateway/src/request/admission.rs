//! The host's checks of a request before its rule gets it: Hop-Limit, preconditions, access token, Proxy-Uri, formats.

use super::error::GatewayError;
use super::proxy_uri::{self, ProxyUri};
use coap::{self, code, option};
use contract::secret::AccessToken;
use contract::{CoapOption, Context, Link, Match, Message, Target};
use homeserver::Homeserver;
use runtime::Revision;
use url::Url;

/// A request that passed the checks.
pub struct Admitted {
    /// Its link.
    found: Match,
    /// The target in its Proxy-Uri.
    target: Option<Target>,
    /// Pairs of `context.facts`.
    facts: Vec<(String, String)>,
    /// The request itself.
    request: AdmittedRequest,
}

/// A request without the options that end at the host, and the values of those options.
pub struct AdmittedRequest {
    /// The request as the rule gets it.
    pub message: Message,
    /// The homeserver in its Proxy-Uri.
    pub homeserver: Option<Homeserver>,
    /// The device's access token: option 256.
    pub token: Option<AccessToken>,
    /// Whether the rule may start an observation.
    pub observes: bool,
}

impl Admitted {
    /// The context of the rule's calls, and the request for the gateway.
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

/// Options that the host consumes. A rule never gets the access token. It gets the others in another form: Observe, for
/// example, comes back empty if the rule may start an observation.
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

/// Checks a request for its link. `observes`: it registers an observer, and there is room for one. `homeserver_of`
/// returns the homeserver of a Proxy-Uri's origin, or the reason why this gateway does not call it.
///
/// # Errors
/// [`GatewayError`]: 4.00, 4.06, 4.12, 4.15 or 5.05.
pub fn admit(
    request: coap::Message,
    found: Match,
    revision: &Revision,
    observes: bool,
    homeserver_of: impl FnOnce(&Url) -> Result<Homeserver, &'static str>,
) -> Result<Admitted, GatewayError> {
    let link = &revision.description().links[usize::from(found.link)];
    let Checked {
        token,
        homeserver,
        target,
    } = check(&request, link, homeserver_of)?;
    let can_observe = revision.observes() || revision.feeds(found.link);
    let observes = observes && link.observable && can_observe;
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

/// The values of options that [`check`] has parsed.
pub(super) struct Checked {
    pub(super) token: Option<AccessToken>,
    pub(super) homeserver: Option<Homeserver>,
    target: Option<Target>,
}

/// The checks that need no body.
///
/// # Errors
/// See [`admit`].
pub(super) fn check(
    request: &coap::Message,
    link: &Link,
    homeserver_of: impl FnOnce(&Url) -> Result<Homeserver, &'static str>,
) -> Result<Checked, GatewayError> {
    check_preconditions(request)?;
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
    check_format(request, &link.accepts)?;
    check_accept(request, &link.produces)?;
    Ok(Checked {
        token,
        homeserver,
        target,
    })
}

/// Hop-Limit (RFC 8768 §3): the number of proxies that may still forward a request. A request with a Proxy-Uri is
/// forwarded; for any other one, this gateway is the origin server. HTTP has no field to continue the count in.
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

/// The size of a request's body, or its announced size: the rule has its own limit below that of the endpoint.
///
/// # Errors
/// 4.13 with Size1.
pub(super) fn check_size(bytes: usize, revision: &Revision) -> Result<(), GatewayError> {
    let most = revision.limits().body;
    match bytes <= most {
        true => Ok(()),
        false => Err(GatewayError::TooLarge(most)),
    }
}

/// If-Match and If-None-Match (RFC 7252 §5.10.8). Every resource here exists, so no If-None-Match holds. A resource has
/// an ETag only in the response to GET or FETCH; so no If-Match holds for a request that changes something, except the
/// empty one, which requires only that the resource exists.
pub(super) fn check_preconditions(request: &coap::Message) -> Result<(), GatewayError> {
    let mut etags = request.options(option::IF_MATCH).peekable();
    let matches =
        code::is_safe(request.code) || etags.peek().is_none() || etags.any(<[u8]>::is_empty);
    if matches && request.option(option::IF_NONE_MATCH).is_none() {
        Ok(())
    } else {
        Err(GatewayError::Precondition)
    }
}

/// Content-Format (RFC 7252 §5.10.3): a link that lists formats accepts payloads only in these. Many small stacks send
/// no Content-Format; then the rule reads the payload as what it is (RFC 7252 §5.5.1).
///
/// # Errors
/// 4.15.
fn check_format(request: &coap::Message, accepts: &[u16]) -> Result<(), GatewayError> {
    if accepts.is_empty() || request.option(option::CONTENT_FORMAT).is_none() {
        return Ok(());
    }
    let format = request.uint_option(option::CONTENT_FORMAT);
    let mut accepts_format = accepts.iter().map(|accepted| u32::from(*accepted));
    if accepts_format.any(|accepted| Some(accepted) == format) {
        Ok(())
    } else {
        Err(GatewayError::UnsupportedFormat(accepts.to_vec()))
    }
}

/// Accept (RFC 7252 §5.10.4). Only errors are in the format of problem details (RFC 9290). A GET or FETCH that accepts
/// nothing else may pass, since it may end with an error. A request that changes something may not: its success would
/// have no acceptable response.
///
/// # Errors
/// 4.06.
pub(super) fn check_accept(request: &coap::Message, produces: &[u16]) -> Result<(), GatewayError> {
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

/// Adds an empty Observe in its place: the contract's `types.message` says so.
fn insert_observe(message: &mut Message) {
    let options = &mut message.options;
    let place = options.partition_point(|option| option.number < option::OBSERVE);
    let (number, value) = (option::OBSERVE, Vec::new());
    options.insert(place, CoapOption { number, value });
}
