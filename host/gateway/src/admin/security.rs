//! Devices that prove who they are, as the page, the terminal and the metrics show them. No label is a name: operators
//! may enrol thousands.

use super::exposition::{Exposition, Kind};
use super::state::Admin;
use super::status::SecurityStatus;
use crate::telemetry::recorder::LoopState;

impl Admin {
    /// Enrolled devices, and what they have opened; none without a store.
    pub(super) fn security(&self, state: &LoopState) -> Option<SecurityStatus> {
        let devices = self.devices.as_ref()?;
        let deliveries = self.deliveries.as_ref()?;
        let refusals = state.security.refusals();
        let refusals = refusals.into_iter().filter(|(_, count)| *count > 0);
        Some(SecurityStatus {
            enrolled: devices.count(),
            security_sessions: state.security.sessions,
            security_contexts: state.security.contexts,
            sessions: deliveries.sessions().counts().open,
            refused_handshakes: refusals
                .map(|(reason, count)| (reason.replace('_', " "), count))
                .collect(),
            refused_messages: state.security.refused_messages,
        })
    }

    /// The same as metrics.
    pub(super) fn security_metrics(&self, text: &mut Exposition, state: &LoopState) {
        use Kind::{Counter, Gauge};
        let (Some(devices), Some(deliveries)) = (&self.devices, &self.deliveries) else {
            return;
        };
        let security = &state.security;
        let sessions = deliveries.sessions().counts();
        let help = "Devices that are enrolled.";
        text.single("comatrix_enrolled_devices", Gauge, help, devices.count());
        let help = "Security sessions (DTLS) that are open.";
        let name = "comatrix_security_sessions";
        text.single(name, Gauge, help, security.sessions);
        let help = "Security contexts (OSCORE).";
        let name = "comatrix_security_contexts";
        text.single(name, Gauge, help, security.contexts);
        let help = "Handshakes that were refused, by reason.";
        let mut family = text.family("comatrix_handshakes_refused_total", Counter, help);
        for (reason, count) in security.refusals() {
            family.sample(&[("reason", reason)], count);
        }
        let help = "Messages with OSCORE that were refused: no context, not authentic, or replays.";
        let name = "comatrix_protected_messages_refused_total";
        text.single(name, Counter, help, security.refused_messages);
        let help = "Sessions: logins that the gateway remembers for devices.";
        text.single("comatrix_sessions", Gauge, help, sessions.open);
        let help = "Memory of the sessions, in bytes.";
        text.single("comatrix_sessions_bytes", Gauge, help, sessions.bytes);
        let help = "Sessions begun, by a login.";
        let name = "comatrix_sessions_opened_total";
        text.single(name, Counter, help, sessions.opened);
        let help = "Sessions ended by a logout.";
        let name = "comatrix_sessions_closed_total";
        text.single(name, Counter, help, sessions.closed);
        let help = "Sessions ended because the homeserver refused their access token.";
        let name = "comatrix_sessions_refused_total";
        text.single(name, Counter, help, sessions.refused);
    }
}
