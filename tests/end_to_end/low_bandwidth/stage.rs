//! A gateway with the rule, and devices that speak as the proposal has it.

use comatrix_tests::device::Request;
use comatrix_tests::gateway::Gateway;
use comatrix_tests::places::Scratch;
use comatrix_tests::stub::Stub;

/// The option of the key version; critical.
pub const KEY_VERSION: u16 = 257;

/// The rule beside the default one.
pub const RULE: &str =
    "[[rule]]\nname = \"msc3079\"\ncomponent = \"builtin:msc3079\"\nmount = \"/\"\n";

/// Starts a gateway with the rule before this homeserver.
pub fn gateway(origin: &str) -> Gateway {
    let scratch = Scratch::new("low-bandwidth");
    let file = scratch.write("gateway.toml", RULE);
    let file = file.display().to_string();
    Gateway::start(&["--homeserver", origin, "--config", &file])
}

/// A stub homeserver and a gateway before it.
pub fn stubbed(stub: Stub) -> (Stub, Gateway) {
    let gateway = gateway(&stub.origin);
    (stub, gateway)
}

/// `GET /7`, with a query or none, and with the names of keys.
pub fn sync(query: &str) -> Request {
    Request::new("GET", &format!("/7{query}")).token("a-token")
}

/// A request as the proposal's devices make it: with integer keys.
pub fn with_keys(request: Request) -> Request {
    request.option(KEY_VERSION, &[1])
}
