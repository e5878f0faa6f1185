//! A router without a battery for its clock: no device gets a wrong time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use coap::{code, option};
use contract::clock::Clock;

use crate::default_rule::gateway;
use crate::exchange::{request, response, send};
use crate::http_call::homeserver;
use crate::stub::{Reaction, Stub};

/// Unix time of the clock of this test.
static NOW: AtomicU64 = AtomicU64::new(0);

#[tokio::test]
async fn time_is_5_03_with_max_age_until_the_clock_is_set_and_messages_are_sent_all_the_while() {
    let stub = Stub::start(|_| Reaction::Json(200, r#"{"event_id":"$x"}"#.into()));
    let mut gateway = gateway(vec![homeserver(stub.url(), Some("configured"))]);
    gateway.clock = Clock::new(|| UNIX_EPOCH + Duration::from_secs(NOW.load(Ordering::Relaxed)));
    // At boot; after a file system or a chip without a battery changed it; set.
    for (now, is_set) in [(0, false), (946_684_800, false), (1_800_000_000_u64, true)] {
        NOW.store(now, Ordering::Relaxed);
        let time = response(&gateway, request(code::GET, "time")).await;
        if is_set {
            assert_eq!(
                (time.code, time.payload),
                (code::CONTENT, now.to_string().into_bytes())
            );
        } else {
            assert_eq!(time.code, code::SERVICE_UNAVAILABLE);
            assert!(time.uint_option(option::MAX_AGE) > Some(0), "{time:?}");
        }
        assert_eq!(response(&gateway, send()).await.code, code::CHANGED);
    }
}
