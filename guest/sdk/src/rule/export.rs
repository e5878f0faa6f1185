//! From a static rule to the exports of a component.

/// Exports a static [`Rule`](crate::rule::Rule) from a component: `export!(RULE);`, with `observer` if it has watched
/// routes, with `proxy` if a Proxy-Uri names some of them, and with `rights` if some need an access token:
/// `export!(RULE, observer, proxy, rights);`. With `feed` if it has feeds, and with `options` if it understands further
/// CoAP options. Every rule has an outbox: its deliveries can wait for their homeserver.
/// Natively it does nothing, so that the crate's tests link.
#[macro_export]
macro_rules! export {
    (@translator $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{
                CallError, Context, Description, Effect, Failure, Guest, HttpResponse, Message,
            };
            struct Exported;
            impl Guest for Exported {
                fn describe(settings: Vec<(String, String)>) -> Result<Description, String> {
                    $rule.describe(&settings)
                }
                fn begin(
                    settings: Vec<(String, String)>,
                    context: Context,
                    request: Message,
                ) -> Result<Effect, Failure> {
                    let effect = $rule.begin(&settings, &context, &request);
                    // The instance ends with the call, and its memory as a whole.
                    std::mem::forget((settings, context, request));
                    effect
                }
                fn resume(
                    settings: Vec<(String, String)>,
                    context: Context,
                    state: Vec<u8>,
                    outcome: Result<HttpResponse, CallError>,
                ) -> Result<Effect, Failure> {
                    let effect = $rule.resume(&settings, &context, &state, outcome);
                    std::mem::forget((settings, context, state));
                    effect
                }
            }
            $crate::bindings::export!(Exported);
        };
    };
    (@observer $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{
                Change, Context, Failure, HttpRequest, HttpResponse, Message, Observer, Progress,
            };
            struct Exported;
            impl Observer for Exported {
                fn poll(
                    _: Vec<(String, String)>,
                    state: Vec<u8>,
                    topics: Vec<String>,
                ) -> Result<HttpRequest, Failure> {
                    $rule.poll(&state, &topics)
                }
                fn polled(
                    settings: Vec<(String, String)>,
                    state: Vec<u8>,
                    topics: Vec<String>,
                    response: HttpResponse,
                ) -> Result<Progress, Failure> {
                    $rule.polled(&settings, &state, &topics, &response)
                }
                fn notify(
                    _: Vec<(String, String)>,
                    context: Context,
                    change: Change,
                ) -> Result<Message, Failure> {
                    $rule.notify(&context, &change)
                }
            }
            $crate::bindings::export_observer!(Exported);
        };
    };
    (@outbox $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{Context, Failure, Message, Outbox};
            struct Exported;
            impl Outbox for Exported {
                fn accepted(
                    _: Vec<(String, String)>,
                    context: Context,
                    _: Vec<u8>,
                    id: String,
                ) -> Result<Message, Failure> {
                    $rule.accepted(&context, &id)
                }
            }
            $crate::bindings::export_outbox!(Exported);
        };
    };
    (@proxy $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::Proxy;
            struct Exported;
            impl Proxy for Exported {
                fn requested_paths(_: Vec<(String, String)>) -> Vec<(u16, String)> {
                    $rule.requested_paths()
                }
            }
            $crate::bindings::export_proxy!(Exported);
        };
    };
    (@rights $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::Rights;
            struct Exported;
            impl Rights for Exported {
                fn needs_token(_: Vec<(String, String)>) -> Vec<u16> {
                    $rule.needs_token()
                }
            }
            $crate::bindings::export_rights!(Exported);
        };
    };
    (@options $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{KnownOption, Options};
            struct Exported;
            impl Options for Exported {
                fn known_options(_: Vec<(String, String)>) -> Vec<KnownOption> {
                    $rule.known()
                }
            }
            $crate::bindings::export_options!(Exported);
        };
    };
    (@feed $rule:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{
                Context, Failure, Feed, FeedProgress, HttpRequest, HttpResponse,
            };
            struct Exported;
            impl Feed for Exported {
                fn feeds(_: Vec<(String, String)>) -> Vec<u16> {
                    $rule.feeds()
                }
                fn poll(
                    settings: Vec<(String, String)>,
                    context: Context,
                    state: Vec<u8>,
                ) -> Result<HttpRequest, Failure> {
                    $rule.feed_poll(&settings, &context, &state)
                }
                fn polled(
                    settings: Vec<(String, String)>,
                    context: Context,
                    state: Vec<u8>,
                    response: HttpResponse,
                ) -> Result<FeedProgress, Failure> {
                    $rule.feed_polled(&settings, &context, &state, &response)
                }
            }
            $crate::bindings::export_feed!(Exported);
        };
    };
    ($rule:path $(, $interface:ident)*) => {
        $crate::export!(@translator $rule);
        $crate::export!(@outbox $rule);
        $($crate::export!(@$interface $rule);)*
    };
}
