//! An exchange of a device with the gateway, as the driver of rules makes it.

use std::sync::Arc;
use std::time::Duration;

use contract::{Call, Context, DeliveryId, HeaderGrants, HttpRequest};
use homeserver::Caller;
use runtime::exchange::{CheckedDelivery, Delivered};
use tokio::time::Instant;

use crate::outbox::{Deliveries, Received, Sending};
use crate::request::Snapshot;

/// EXCHANGE_LIFETIME.
pub const LIFETIME: Duration = Duration::from_secs(247);
/// Time for an exchange.
const DEADLINE: Duration = Duration::from_secs(10);

/// A datagram, as the rule has translated it.
pub struct Datagram {
    pub snapshot: Arc<Snapshot>,
    pub caller: Caller,
    pub request: HttpRequest,
    pub transaction: String,
    pub digest: [u8; 16],
    pub id: DeliveryId,
}

impl Datagram {
    /// Passes it to the gateway.
    pub async fn pass(self, deliveries: Deliveries) -> Delivered {
        let Self {
            snapshot,
            caller,
            mut request,
            transaction,
            digest,
            id,
        } = self;
        let lane = request.path[4].clone();
        request.path.push(id.to_string());
        let call = Call::check(request, &HeaderGrants::default()).expect("the contract allows it");
        let upstreams = &snapshot.upstreams;
        let prepared = upstreams.prepare(&caller, call.clone());
        let prepared = prepared.expect("it has a homeserver");
        let context = Context {
            link: 0,
            captures: vec![lane.clone()],
            requested: None,
            principal: None,
            flow_id: transaction.clone(),
            now: None,
            facts: Vec::new(),
        };
        let sending = Sending {
            snapshot: &snapshot,
            caller: &caller,
            rule: "comatrix",
            received: Received {
                digest,
                lifetime: LIFETIME,
                is_repeated: false,
            },
            deadline: Instant::now() + DEADLINE,
        };
        let delivery = CheckedDelivery {
            id,
            lane: &lane,
            transaction: &transaction,
            call,
            context: &context,
            state: b"state",
            can_wait: true,
        };
        deliveries.deliver(&sending, &delivery, prepared).await
    }
}
