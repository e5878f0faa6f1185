//! The resources that the plugtest list asks of a server (ETSI CoAP plugtests, prefix `TD_COAP_`) and no CoMatrix
//! resource has: methods that create and delete, Location-Path and Location-Query, links with many attributes. For
//! tests only.
//!
//! It stores nothing: a PUT gets the response of one that was stored. [`links`] lists the resources, [`resources`]
//! makes their responses.
#![deny(missing_docs)]

pub mod links;
pub mod resources;

use comatrix_sdk::bindings::{
    CallError, Context, Description, Effect, Failure, Guest, HttpResponse, Message, export,
};

/// The rule as the gateway sees it.
#[derive(Debug)]
pub struct Plugtest;

export!(Plugtest);

impl Guest for Plugtest {
    fn describe(_: Vec<(String, String)>) -> Result<Description, String> {
        Ok(links::description())
    }

    fn begin(
        _: Vec<(String, String)>,
        context: Context,
        request: Message,
    ) -> Result<Effect, Failure> {
        resources::begin(links::resource(context.link), &request)
    }

    fn resume(
        _: Vec<(String, String)>,
        _: Context,
        _: Vec<u8>,
        outcome: Result<HttpResponse, CallError>,
    ) -> Result<Effect, Failure> {
        resources::resume(outcome)
    }
}
