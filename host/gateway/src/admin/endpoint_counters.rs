//! The counters of the CoAP endpoint: their metrics, and which of them an operator should look into.

use coap::Counters;

/// One of the endpoint's counters.
pub(super) struct EndpointCounter {
    /// The metric's name without `comatrix_coap_` and `_total`.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) is_fault: bool,
    pub(super) count: u64,
}

/// Whether a counter is shown among the limits and faults. Retransmissions, resets and evictions from a cache are not:
/// they are part of the protocol, and no device goes without a response because of them.
mod class {
    pub(super) const NORMAL: bool = false;
    pub(super) const FAULT: bool = true;
}

/// All of them. A new counter must have a line here, or this does not compile.
pub(super) fn endpoint_counters(counters: &Counters) -> Vec<EndpointCounter> {
    use class::{FAULT, NORMAL};
    macro_rules! each {
        ($($field:ident $name:literal $is_fault:ident $help:literal,)*) => {{
            let Counters { $($field,)* } = counters;
            vec![$(EndpointCounter { name: $name, help: $help, is_fault: $is_fault, count: *$field },)*]
        }};
    }
    each! {
        datagrams "datagrams_received" NORMAL "Datagrams received.",
        malformed "malformed_messages" FAULT "Datagrams received that are not CoAP messages.",
        unexpected "unmatched_messages" NORMAL
            "Responses, acknowledgements and resets received that match no message of the gateway.",
        pings "pings" NORMAL "CoAP pings received.",
        duplicates "duplicate_requests" NORMAL
            "Duplicates of requests received: the response is sent again, the request is not processed again.",
        message_ids_reused "message_ids_reused" NORMAL
            "Requests with a message ID that still stood for another one: their device has restarted.",
        requests "requests" NORMAL "Requests passed on to the gateway's resources.",
        piggybacked "piggybacked_responses" NORMAL "Responses sent in an acknowledgement.",
        separate "separate_responses" NORMAL "Responses sent in a confirmable message of their own.",
        non_confirmable "non_confirmable_responses" NORMAL "Responses sent in a non-confirmable message.",
        retransmissions "retransmissions" NORMAL "Confirmable messages sent again.",
        observations "observations_started" NORMAL "Observations started.",
        observations_refused "observations_refused" FAULT
            "Observe requests that got a single response because a limit of observations was reached.",
        observations_above_share "observations_above_share" FAULT
            "Observe requests that got a single response because their host had its share of the observations.",
        observations_displaced "observations_displaced" FAULT
            "Observations of devices with unproven addresses that were ended to make room for others.",
        notifications "notifications" NORMAL "Notifications sent, without retransmissions.",
        given_up "deliveries_timed_out" FAULT
            "Responses and notifications that the device did not acknowledge after all retransmissions.",
        reset_by_peer "resets_received" NORMAL "Responses and notifications that the device rejected with a reset.",
        bad_options "requests_bad_option" FAULT
            "Requests rejected with 4.02: they have a critical option that the gateway does not support.",
        excessive_options "messages_excessive_options" FAULT
            "Messages with more than 64 options or 4 KiB of them; a request is rejected with 4.02.",
        overloaded "requests_overloaded" FAULT "Requests rejected with 5.03: too many requests are in progress.",
        exchanges_above_share "requests_above_share" FAULT
            "Requests rejected with 5.03 because their host had its share of the requests in progress.",
        bytes_above_share "requests_above_memory_share" FAULT
            "Requests rejected with 5.03, or dropped, because their host had its share of the memory for requests.",
        too_large "requests_too_large" FAULT "Requests rejected with 4.13.",
        incomplete "requests_incomplete" FAULT "Requests rejected with 4.08: blocks are missing.",
        bodies_refused "blockwise_bodies_refused" FAULT
            "Block-wise bodies refused because the memory for them was in use.",
        bodies_above_share "blockwise_bodies_above_share" FAULT
            "Block-wise bodies refused because their host had its share of the memory for them.",
        bodies_dropped "blockwise_bodies_evicted" NORMAL
            "Block-wise bodies removed because they were idle, or to make room for others.",
        retained_responses_evicted "retained_responses_evicted" NORMAL
            "Responses removed from the deduplication cache before their lifetime ended, to make room for others.",
        message_ids_exhausted "message_ids_exhausted" FAULT
            "Responses not sent because all message IDs for the device were in use.",
        bad_responses "invalid_responses" FAULT
            "Responses replaced by 5.00 because they were invalid or exceeded a limit.",
        rate_limited "datagrams_rate_limited" FAULT "Datagrams above the rate of their device.",
        resets_withheld "resets_suppressed" FAULT "Malformed messages that got no reset because there were too many.",
        peers_forgotten "peers_evicted" FAULT
            "Devices whose rate or proof of address was removed before it expired, to make room for others.",
        silenced "responses_suppressed" NORMAL
            "Responses not sent: the device asked for none, or the request came to a multicast group.",
        challenges "echo_challenges" NORMAL
            "Requests rejected with 4.01 and Echo, or 5.03: the address is not proven, and no ping can prove it now.",
        proofs "addresses_proven" NORMAL "Devices that proved their address.",
        deferred "requests_deferred" NORMAL
            "Requests that wait until the device has proven its address.",
        deferred_released "requests_deferred_released" NORMAL "Such requests whose device has proven its address.",
        deferred_dropped "requests_deferred_dropped" FAULT
            "Such requests that were dropped, or rejected with 4.01 and Echo or with 5.03.",
        proofs_blocked "address_proofs_blocked" FAULT
            "Unproven addresses that guessed at message IDs: for a minute, only Echo proves them.",
        retransmissions_withheld "retransmissions_suppressed" NORMAL
            "Retransmissions not sent because the device has not proven its address.",
        multicasts "multicast_datagrams_received" NORMAL "Datagrams received through a multicast group.",
        multicast_responses_dropped "multicast_responses_dropped" FAULT
            "Responses to a multicast group not sent because too many were waiting.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eviction_from_the_deduplication_cache_is_no_fault() {
        let counters = Counters {
            retained_responses_evicted: 4488,
            malformed: 1,
            ..Counters::default()
        };
        let counters = endpoint_counters(&counters);
        let shown = counters.iter().filter(|one| one.is_fault && one.count > 0);
        assert_eq!(
            shown.map(|one| one.name).collect::<Vec<_>>(),
            ["malformed_messages"]
        );
    }
}
