//! Calls to the homeserver: what a call needs stands beside what goes on with its answer.

use std::fmt;

use super::answer::Answer;
use super::kept::Keep;
use super::pattern::segments;
use super::reply::Reply;
use crate::bindings::{Need, Segment};
use crate::call::CLIENT_API;
use crate::fields::json_body;
use crate::refusal::Refusal;
use crate::state::damaged;
use crate::value::Value;

/// What a handler returns: the answer, a call, or why there is neither.
pub type Outcome = Result<Next, Refusal>;

/// What happens next.
#[derive(Debug)]
pub enum Next {
    /// The device is answered.
    Reply(Reply),
    /// The homeserver is called; the call's function goes on.
    #[doc(hidden)]
    Call(Pending),
}

impl From<Reply> for Next {
    fn from(reply: Reply) -> Next {
        Next::Reply(reply)
    }
}

/// Which homeserver a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// The gateway's default one.
    Standard,
    /// The one in the device's Proxy-Uri, else the default one.
    Requested,
    /// One that the operator grants by this name.
    Named(&'static str),
}

/// The part of a call that the operator grants.
#[doc(hidden)]
#[derive(Debug)]
pub struct Shape {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) credential: &'static str,
    pub(super) destination: Destination,
    pub(super) hold_ms: u32,
    pub(super) any_status: bool,
}

/// A call that a rule makes, as a `static`; `S` is what the rule keeps until the answer is there.
pub struct Call<S: 'static> {
    shape: Shape,
    resumed: fn(&Answer<'_>, S) -> Outcome,
}

impl<S> Call<S> {
    /// GET of `path`; `resumed` goes on with the answer. `path` is below `/_matrix/client/v3`, or from the root if it begins
    /// with a slash; `{name}` stands for a segment that [`to`](Call::to) fills in.
    ///
    /// `{room}` may be filled with an alias: the SDK asks for its id first, which is one more of the exchange's calls.
    pub const fn get(path: &'static str, resumed: fn(&Answer<'_>, S) -> Outcome) -> Call<S> {
        Call::new("GET", path, resumed)
    }

    /// PUT; as [`get`](Call::get).
    pub const fn put(path: &'static str, resumed: fn(&Answer<'_>, S) -> Outcome) -> Call<S> {
        Call::new("PUT", path, resumed)
    }

    /// POST; as [`get`](Call::get).
    pub const fn post(path: &'static str, resumed: fn(&Answer<'_>, S) -> Outcome) -> Call<S> {
        Call::new("POST", path, resumed)
    }

    /// DELETE; as [`get`](Call::get).
    pub const fn delete(path: &'static str, resumed: fn(&Answer<'_>, S) -> Outcome) -> Call<S> {
        Call::new("DELETE", path, resumed)
    }

    const fn new(
        method: &'static str,
        path: &'static str,
        resumed: fn(&Answer<'_>, S) -> Outcome,
    ) -> Call<S> {
        let shape = Shape {
            method,
            path,
            credential: "any",
            destination: Destination::Standard,
            hold_ms: 0,
            any_status: false,
        };
        Call { shape, resumed }
    }

    /// Whose access token the gateway attaches: `any` (the default), `device` or `none` (`wit/types.wit`).
    pub const fn credential(mut self, credential: &'static str) -> Call<S> {
        self.shape.credential = credential;
        self
    }

    /// To the homeserver in the device's Proxy-Uri, if it sends one. Otherwise such requests are refused with 4.00.
    pub const fn requested(mut self) -> Call<S> {
        self.shape.destination = Destination::Requested;
        self
    }

    /// To the homeserver that the operator grants to this rule by `name`.
    pub const fn named(mut self, name: &'static str) -> Call<S> {
        self.shape.destination = Destination::Named(name);
        self
    }

    /// A long poll: milliseconds that the homeserver may wait; the gateway caps them at 60,000.
    pub const fn hold_ms(mut self, milliseconds: u32) -> Call<S> {
        self.shape.hold_ms = milliseconds;
        self
    }

    /// Goes on with answers that are no success too. Without it the device gets them as the SDK translates them
    /// ([`homeserver_error`](crate::homeserver_error)); no answer at all always ends the exchange.
    pub const fn any_status(mut self) -> Call<S> {
        self.shape.any_status = true;
        self
    }

    /// The call with its `{…}` filled in, in their order.
    pub fn to(&'static self, arguments: &[&str]) -> Prepared<S>
    where
        S: Keep,
    {
        let pending = Pending {
            call: self,
            kept: Value::Null,
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            query: Vec::new(),
            body: None,
        };
        Prepared {
            pending,
            kept: std::marker::PhantomData,
        }
    }
}

impl<S> fmt::Debug for Call<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.shape.method, self.shape.path)
    }
}

/// A [`Call`] whatever it keeps.
#[doc(hidden)]
pub trait Resume: fmt::Debug + Sync {
    fn shape(&self) -> &Shape;
    fn resume(&self, answer: &Answer<'_>, kept: Value) -> Outcome;
}

impl<S: Keep> Resume for Call<S> {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn resume(&self, answer: &Answer<'_>, kept: Value) -> Outcome {
        (self.resumed)(answer, S::restore(kept).ok_or_else(damaged)?)
    }
}

impl Shape {
    /// What the operator must grant.
    pub(super) fn needs(&self) -> Vec<Need> {
        let upstreams: &[&str] = match &self.destination {
            Destination::Standard => &["standard"],
            Destination::Requested => &["standard", "requested"],
            Destination::Named(name) => &[*name],
        };
        let need = |upstream: &&str, method: &str, path: Vec<Segment>| Need {
            upstream: (*upstream).to_owned(),
            credential: self.credential.to_owned(),
            methods: vec![method.to_owned()],
            path,
        };
        let mut needs = Vec::new();
        for upstream in upstreams {
            let path = self.root().iter().map(|text| (*text).to_owned());
            let path = path.map(Segment::Literal).chain(segments(self.path));
            needs.push(need(upstream, self.method, path.collect()));
            if super::pattern::place(self.path, "room").is_some() {
                needs.push(need(
                    upstream,
                    "GET",
                    segments(super::lookup::DIRECTORY).collect(),
                ));
            }
        }
        needs
    }

    /// What stands before the path.
    pub(super) fn root(&self) -> &'static [&'static str] {
        match self.path.starts_with('/') {
            true => &[],
            false => &CLIENT_API,
        }
    }
}

/// A [`Call`] about to be made.
#[derive(Debug)]
pub struct Prepared<S> {
    pending: Pending,
    kept: std::marker::PhantomData<S>,
}

impl<S: Keep> Prepared<S> {
    /// Adds to the query.
    pub fn query(mut self, name: &str, value: &str) -> Prepared<S> {
        self.pending.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body.
    pub fn json(mut self, body: &Value) -> Result<Prepared<S>, Refusal> {
        self.pending.body = Some(json_body(body)?);
        Ok(self)
    }

    /// Makes the call, and keeps `kept` for the function that goes on. It and the segments filled in may take 16 KiB;
    /// above that the device gets 4.13.
    pub fn keep(mut self, kept: S) -> Outcome {
        self.pending.kept = kept.value();
        Ok(Next::Call(self.pending))
    }
}

impl Prepared<()> {
    /// Makes the call; nothing is kept.
    pub fn send(self) -> Outcome {
        self.keep(())
    }
}

/// A call with all that it needs.
#[doc(hidden)]
#[derive(Debug)]
pub struct Pending {
    pub(super) call: &'static dyn Resume,
    pub(super) kept: Value,
    pub(super) arguments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<String>,
}
