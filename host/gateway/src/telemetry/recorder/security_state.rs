//! What the event loop has of devices that prove who they are.

use secure::dtls::Counters;

/// Security sessions and contexts.
#[derive(Clone, Debug, Default)]
pub struct SecurityState {
    /// Security sessions (DTLS) that are open.
    pub sessions: usize,
    /// Security contexts (OSCORE).
    pub contexts: usize,
    /// Counters of the server of `coaps`; all 0 while its socket is closed.
    pub counters: Counters,
    /// Messages with OSCORE that were refused. One that only shows that the device has to send again does not count.
    pub refused_messages: u64,
}

impl SecurityState {
    /// Refused handshakes by reason, as the metrics name it. All reasons, in a fixed order.
    #[must_use]
    pub fn refusals(&self) -> [(&'static str, u64); 5] {
        let Counters {
            refused,
            wrong_keys,
            certificates_refused,
            no_room,
            timed_out,
            ..
        } = self.counters;
        let named = wrong_keys + certificates_refused + no_room + timed_out;
        [
            ("wrong_key", wrong_keys),
            ("certificate", certificates_refused),
            ("no_room", no_room),
            ("timed_out", timed_out),
            ("protocol", refused.saturating_sub(named)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_one_reason() {
        let mut state = SecurityState::default();
        state.counters.refused = 7;
        state.counters.wrong_keys = 3;
        state.counters.timed_out = 1;
        let refusals = state.refusals();
        assert_eq!(refusals.map(|(_, count)| count), [3, 0, 0, 1, 3]);
        assert_eq!(refusals.iter().map(|(_, count)| count).sum::<u64>(), 7);
    }
}
