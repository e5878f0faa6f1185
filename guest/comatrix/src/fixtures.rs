//! Exchanges of devices with the rule, for tests. Whole exchanges stand in `vectors/`.

use comatrix_sdk::bindings::{
    CallError, Context, Delivery, Effect, Failure, HttpResponse, Message, Reply, Segment, Step,
    Target,
};
use comatrix_sdk::call::CLIENT_API;
use comatrix_sdk::message::{CONTENT_FORMAT, uint};
use comatrix_sdk::payload::Format;

use crate::RULE;

/// One exchange, with the operator's settings.
pub struct Exchange {
    pub settings: Vec<(String, String)>,
    pub context: Context,
}

impl Exchange {
    /// Without Proxy-Uri, for the link of `resource` with these captures.
    pub fn local(resource: &str, captures: &[&str]) -> Exchange {
        let links = RULE.describe(&[]).expect("no setting is wrong").links;
        let first = Segment::Literal(resource.to_owned());
        let link = links.iter().position(|link| {
            link.path.first() == Some(&first) && link.path.len() == captures.len() + 1
        });
        Exchange {
            settings: vec![],
            context: Context {
                link: link.expect("there is such a link") as u16,
                captures: captures.iter().map(|text| (*text).to_owned()).collect(),
                requested: None,
                principal: None,
                flow_id: "0f".repeat(16),
                now: None,
                facts: vec![],
            },
        }
    }

    /// With a Proxy-Uri that names `path`.
    pub fn proxied(resource: &str, path: &str) -> Exchange {
        let mut exchange = Exchange::local(resource, &[]);
        exchange.context.requested = Some(Target {
            path: path.split('/').map(str::to_owned).collect(),
            query: vec![],
        });
        exchange
    }

    pub fn with_settings(mut self, settings: &[(&str, &str)]) -> Exchange {
        let settings = settings.iter();
        self.settings = settings
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        self
    }

    pub fn begin(&self, request: &Message) -> Result<Effect, Failure> {
        RULE.begin(&self.settings, &self.context, request)
    }

    pub fn resume(
        &self,
        step: &Step,
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        RULE.resume(&self.settings, &self.context, &step.state, outcome)
    }

    /// The call that the request leads to.
    pub fn call(&self, request: &Message) -> Step {
        call(self.begin(request))
    }

    /// The delivery that the request leads to.
    pub fn delivery(&self, request: &Message) -> Delivery {
        delivery(self.begin(request))
    }

    /// The delivery that the outcome of a call leads to.
    pub fn next_delivery(&self, step: &Step, outcome: Result<HttpResponse, CallError>) -> Delivery {
        delivery(self.resume(step, outcome))
    }

    /// The call that the outcome of another leads to.
    pub fn next_call(&self, step: &Step, outcome: Result<HttpResponse, CallError>) -> Step {
        call(self.resume(step, outcome))
    }

    /// The reply that the outcome of a call leads to.
    pub fn reply(&self, step: &Step, outcome: Result<HttpResponse, CallError>) -> Reply {
        match self.resume(step, outcome) {
            Ok(Effect::Reply(reply)) => reply,
            other => panic!("no reply, but {other:?}"),
        }
    }

    /// The path of a call below the client-server API.
    pub fn path(&self, step: &Step) -> String {
        step.request
            .path
            .iter()
            .skip(CLIENT_API.len())
            .map(|segment| format!("/{segment}"))
            .collect()
    }
}

fn delivery(effect: Result<Effect, Failure>) -> Delivery {
    match effect {
        Ok(Effect::Deliver(delivery)) => delivery,
        other => panic!("no delivery, but {other:?}"),
    }
}

fn call(effect: Result<Effect, Failure>) -> Step {
    match effect {
        Ok(Effect::Call(step)) => step,
        other => panic!("no call, but {other:?}"),
    }
}

/// A request with a JSON payload.
pub fn json_request(payload: &str) -> Message {
    let options = vec![uint(CONTENT_FORMAT, Format::Json.number().into())];
    Message {
        code: 0,
        options,
        payload: payload.into(),
    }
}

/// A request without a payload.
pub fn empty_request() -> Message {
    Message {
        code: 0,
        options: vec![],
        payload: vec![],
    }
}

/// A homeserver's 200.
pub fn success(body: &str) -> Result<HttpResponse, CallError> {
    Ok(HttpResponse {
        status: 200,
        headers: vec![],
        body: body.into(),
    })
}
