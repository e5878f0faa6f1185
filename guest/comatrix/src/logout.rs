//! `/logout`: end an access token, or all of an account's
//! (<https://spec.matrix.org/v1.13/client-server-api/#post_matrixclientv3logout>).

use comatrix_sdk::rule::{
    Call, Credential, HomeserverResponse, Outcome, Reply, Request, Route, Value, code,
};

/// The form of a Proxy-Uri that ends all access tokens of the account.
const ALL: &str = "logout/all";

/// `POST /logout`.
pub static ROUTE: Route = Route::post("logout", begin)
    .proxy_uri(&["/3", "logout", ALL])
    .accepts(&[])
    .produces(&[])
    .calls(&[&LOGOUT, &LOGOUT_ALL])
    .attributes(&[("rt", "comatrix.logout"), ("if", "comatrix")]);

/// With the device's own token only: with the gateway's, one device would log all others out.
static LOGOUT: Call<()> = Call::post("logout", logged_out).credential(Credential::Device);
static LOGOUT_ALL: Call<()> = Call::post(ALL, logged_out).credential(Credential::Device);

fn begin(request: &Request) -> Outcome {
    let logout = match request.proxy_uri() {
        Some(ALL) => &LOGOUT_ALL,
        _ => &LOGOUT,
    };
    logout.to(&[]).json(&Value::map([]))?.send()
}

/// Replies 2.04 without a payload.
fn logged_out(_: &HomeserverResponse, (): ()) -> Outcome {
    Ok(Reply::empty(code::CHANGED).close_session().into())
}

#[cfg(test)]
mod tests {
    use comatrix_sdk::bindings::SessionChange;
    use comatrix_sdk::code;
    use comatrix_sdk::message::response;

    use crate::fixtures::{Exchange, empty_request, success};

    #[test]
    fn only_the_devices_own_token_is_ended() {
        for (exchange, expected) in [
            (Exchange::local("logout", &[]), "/logout"),
            (Exchange::proxied("logout", "3"), "/logout"),
            (
                Exchange::proxied("logout", "_matrix/client/r0/logout/all"),
                "/logout/all",
            ),
        ] {
            let step = exchange.call(&empty_request());
            assert_eq!(
                (
                    exchange.path(&step).as_str(),
                    step.request.credential.as_str()
                ),
                (expected, "device")
            );
        }
    }

    #[test]
    fn the_response_is_empty_and_closes_the_session() {
        let exchange = Exchange::local("logout", &[]);
        let step = exchange.call(&empty_request());
        let reply = exchange.reply(&step, success("{}"));
        assert_eq!(reply.message, response(code::CHANGED, None, None, vec![]));
        assert_eq!(reply.session, Some(SessionChange::Close));
    }
}
