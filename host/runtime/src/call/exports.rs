//! The functions of the contract that a component exports.

use wasmtime::component::{Component, InstancePre};
use wasmtime::format_err;

use super::function::{Function, Signature};
use super::{CallState, begin};
use crate::engine::Engine;
use crate::limits::RuleLimits;
use contract::bindings::{
    CallError, Change, Context, Description, Effect, Failure, HttpRequest, HttpResponse, Message,
    Progress,
};
use contract::{FeedProgress, KnownOption};

/// The interface that every rule exports.
const TRANSLATOR: &str = "comatrix:gateway/translator@0.2.0";
/// The interface that a rule with observable resources also exports.
const OBSERVER: &str = "comatrix:gateway/observer@0.2.0";
/// The interface that a rule with resources for Proxy-Uri also exports.
const PROXY: &str = "comatrix:gateway/proxy@0.2.0";

/// The interface that a rule with resources that need an access token can export.
const RIGHTS: &str = "comatrix:gateway/rights@0.2.0";
/// The interface of a rule whose deliveries can wait for their homeserver.
const OUTBOX: &str = "comatrix:gateway/outbox@0.2.0";

/// The interface of a rule that understands CoAP options besides those of the host.
const OPTIONS: &str = "comatrix:gateway/options@0.2.0";
/// The interface of a rule that pushes what a device has not got yet.
const FEED: &str = "comatrix:gateway/feed@0.2.0";

/// Keys and values: `types.settings`.
pub(crate) type Settings<'a> = &'a [(String, String)];

macro_rules! signatures {
    ($($name:ident = $export:literal: $params:ty => $output:ty;)*) => {$(
        pub(crate) enum $name {}

        impl Signature for $name {
            const NAME: &'static str = $export;
            type Params<'a> = $params;
            type Output = $output;
        }
    )*};
}

signatures! {
    Describe = "describe": (Settings<'a>,) => Result<Description, String>;
    RequestedPaths = "requested-paths": (Settings<'a>,) => Vec<(u16, String)>;
    NeedsToken = "needs-token": (Settings<'a>,) => Vec<u16>;
    Begin = "begin": (Settings<'a>, &'a Context, &'a Message) => Result<Effect, Failure>;
    Resume = "resume": (Settings<'a>, &'a Context, &'a [u8], Result<&'a HttpResponse, &'a CallError>)
        => Result<Effect, Failure>;
    Accepted = "accepted": (Settings<'a>, &'a Context, &'a [u8], &'a str) => Result<Message, Failure>;
    Poll = "poll": (Settings<'a>, &'a [u8], &'a [String]) => Result<HttpRequest, Failure>;
    Polled = "polled": (Settings<'a>, &'a [u8], &'a [String], &'a HttpResponse) => Result<Progress, Failure>;
    KnownOptions = "known-options": (Settings<'a>,) => Vec<KnownOption>;
    Feeds = "feeds": (Settings<'a>,) => Vec<u16>;
    FeedPoll = "poll": (Settings<'a>, &'a Context, &'a [u8]) => Result<HttpRequest, Failure>;
    FeedPolled = "polled": (Settings<'a>, &'a Context, &'a [u8], &'a HttpResponse) => Result<FeedProgress, Failure>;
    Notify = "notify": (Settings<'a>, &'a Context, &'a Change) => Result<Message, Failure>;
}

/// The functions of a component. They are found once: a lookup by name in each call would cost more than the
/// translation of a small request.
#[derive(Clone)]
pub(crate) struct Exports {
    pub(crate) describe: Function<Describe>,
    pub(crate) begin: Function<Begin>,
    pub(crate) resume: Function<Resume>,
    pub(crate) observer: Option<Observer>,
    pub(crate) requested_paths: Option<Function<RequestedPaths>>,
    pub(crate) needs_token: Option<Function<NeedsToken>>,
    pub(crate) accepted: Option<Function<Accepted>>,
    pub(crate) known_options: Option<Function<KnownOptions>>,
    pub(crate) feeder: Option<Feeder>,
}

/// The functions of a rule with feeds.
#[derive(Clone)]
pub(crate) struct Feeder {
    pub(crate) feeds: Function<Feeds>,
    pub(crate) poll: Function<FeedPoll>,
    pub(crate) polled: Function<FeedPolled>,
}

/// The functions of a rule that observes.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) poll: Function<Poll>,
    pub(crate) polled: Function<Polled>,
    pub(crate) notify: Function<Notify>,
}

impl Exports {
    /// Finds them by name, in a new instance, and compares their types with those of the contract.
    pub(crate) fn find(
        engine: &Engine,
        limits: &RuleLimits,
        component: &Component,
        pre: &InstancePre<CallState>,
    ) -> wasmtime::Result<Self> {
        let translator = component
            .get_export_index(None, TRANSLATOR)
            .ok_or_else(|| format_err!("it exports no {TRANSLATOR}"))?;
        let observer = component.get_export_index(None, OBSERVER);
        let proxy = component.get_export_index(None, PROXY);
        let rights = component.get_export_index(None, RIGHTS);
        let outbox = component.get_export_index(None, OUTBOX);
        let options = component.get_export_index(None, OPTIONS);
        let feed = component.get_export_index(None, FEED);
        let (mut store, _running) = begin(engine, limits, None);
        let instance = pre.instantiate(&mut store)?;
        let observer = observer.map(|observer| {
            Ok::<_, wasmtime::Error>(Observer {
                poll: Function::find(component, &observer, &instance, &mut store)?,
                polled: Function::find(component, &observer, &instance, &mut store)?,
                notify: Function::find(component, &observer, &instance, &mut store)?,
            })
        });
        let requested_paths =
            proxy.map(|proxy| Function::find(component, &proxy, &instance, &mut store));
        let needs_token =
            rights.map(|rights| Function::find(component, &rights, &instance, &mut store));
        let accepted =
            outbox.map(|outbox| Function::find(component, &outbox, &instance, &mut store));
        let known_options =
            options.map(|options| Function::find(component, &options, &instance, &mut store));
        let feeder = feed.map(|feed| {
            Ok::<_, wasmtime::Error>(Feeder {
                feeds: Function::find(component, &feed, &instance, &mut store)?,
                poll: Function::find(component, &feed, &instance, &mut store)?,
                polled: Function::find(component, &feed, &instance, &mut store)?,
            })
        });
        Ok(Self {
            known_options: known_options.transpose()?,
            feeder: feeder.transpose()?,
            accepted: accepted.transpose()?,
            needs_token: needs_token.transpose()?,
            requested_paths: requested_paths.transpose()?,
            observer: observer.transpose()?,
            describe: Function::find(component, &translator, &instance, &mut store)?,
            begin: Function::find(component, &translator, &instance, &mut store)?,
            resume: Function::find(component, &translator, &instance, &mut store)?,
        })
    }
}
