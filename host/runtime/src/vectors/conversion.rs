//! Converts the contract's types between the bindings of the host and of the SDK: the SDK runs the vectors.

use comatrix_sdk::bindings as sdk;

use contract::bindings as host;

/// The context of a call.
#[must_use]
pub fn to_host_context(context: &sdk::Context) -> host::Context {
    let sdk::Context {
        link,
        captures,
        requested,
        principal,
        flow_id,
        now,
        facts,
    } = context.clone();
    host::Context {
        link,
        captures,
        requested: requested.map(|sdk::Target { path, query }| host::Target { path, query }),
        principal,
        flow_id,
        now,
        facts,
    }
}

/// A request.
#[must_use]
pub fn to_host_message(message: &sdk::Message) -> host::Message {
    let options = message.options.iter().map(|option| host::CoapOption {
        number: option.number,
        value: option.value.clone(),
    });
    host::Message {
        code: message.code,
        options: options.collect(),
        payload: message.payload.clone(),
    }
}

/// The outcome of a homeserver call.
///
/// # Errors
/// The outcome's own.
pub fn to_host_outcome(
    outcome: Result<sdk::HttpResponse, sdk::CallError>,
) -> Result<host::HttpResponse, host::CallError> {
    match outcome {
        Ok(response) => Ok(to_host_response(response)),
        Err(error) => Err(host::CallError {
            reason: error.reason,
            sent: error.sent,
        }),
    }
}

/// An HTTP response.
#[must_use]
pub fn to_host_response(response: sdk::HttpResponse) -> host::HttpResponse {
    host::HttpResponse {
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

/// A change for an observer.
#[must_use]
pub fn to_host_change(change: &sdk::Change) -> host::Change {
    host::Change {
        topic: change.topic.clone(),
        payload: change.payload.clone(),
    }
}

/// The result of a poll.
#[must_use]
pub fn to_sdk_progress(progress: host::Progress) -> sdk::Progress {
    let changes = progress.changes.into_iter().map(|change| sdk::Change {
        topic: change.topic,
        payload: change.payload,
    });
    sdk::Progress {
        state: progress.state,
        changes: changes.collect(),
        lost: progress.lost,
    }
}

/// The rule's own error.
#[must_use]
pub fn to_sdk_failure(failure: host::Failure) -> sdk::Failure {
    sdk::Failure {
        code: failure.code,
        diagnostic: failure.diagnostic,
        max_age: failure.max_age,
    }
}

/// A rule's reply.
#[must_use]
pub fn to_sdk_reply(reply: host::Reply) -> sdk::Reply {
    sdk::Reply {
        message: to_sdk_message(reply.message),
        session: reply.session.map(|change| match change {
            host::SessionChange::Open(token) => sdk::SessionChange::Open(token),
            host::SessionChange::Close => sdk::SessionChange::Close,
        }),
        watch: reply.watch.map(|watch| sdk::Watch {
            share: watch.share,
            topic: watch.topic,
            state: watch.state,
            shown: watch.shown,
        }),
    }
}

/// A response or a notification.
#[must_use]
pub fn to_sdk_message(message: host::Message) -> sdk::Message {
    let options = message.options.into_iter().map(|option| sdk::CoapOption {
        number: option.number,
        value: option.value,
    });
    sdk::Message {
        code: message.code,
        options: options.collect(),
        payload: message.payload,
    }
}

/// A homeserver call.
#[must_use]
pub fn to_sdk_request(request: host::HttpRequest) -> sdk::HttpRequest {
    sdk::HttpRequest {
        upstream: match request.upstream {
            host::Upstream::Standard => sdk::Upstream::Standard,
            host::Upstream::Requested => sdk::Upstream::Requested,
            host::Upstream::Named(name) => sdk::Upstream::Named(name),
        },
        credential: request.credential,
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        hold_ms: request.hold_ms,
    }
}

/// A delivery.
#[must_use]
pub fn to_sdk_delivery(delivery: host::Delivery) -> sdk::Delivery {
    sdk::Delivery {
        lane: delivery.lane,
        transaction: delivery.transaction,
        step: sdk::Step {
            request: to_sdk_request(delivery.step.request),
            state: delivery.step.state,
        },
    }
}

/// A description.
#[must_use]
pub fn to_sdk_description(description: &host::Description) -> sdk::Description {
    let links = description.links.iter().map(|link| sdk::Link {
        path: link.path.iter().map(to_sdk_segment).collect(),
        methods: link.methods.clone(),
        accepts: link.accepts.clone(),
        produces: link.produces.clone(),
        observable: link.observable,
        attributes: link.attributes.clone(),
    });
    let needs = description.needs.iter().map(|need| sdk::Need {
        upstream: need.upstream.clone(),
        credential: need.credential.clone(),
        methods: need.methods.clone(),
        path: need.path.iter().map(to_sdk_segment).collect(),
    });
    sdk::Description {
        links: links.collect(),
        needs: needs.collect(),
    }
}

fn to_sdk_segment(segment: &host::Segment) -> sdk::Segment {
    match segment {
        host::Segment::Literal(text) => sdk::Segment::Literal(text.clone()),
        host::Segment::Capture(name) => sdk::Segment::Capture(name.clone()),
        host::Segment::Rest => sdk::Segment::Rest,
    }
}
