//! Counts of events at a server.

/// Counts of events since the server was made. They only grow. None is per peer, so a flood costs no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub datagrams: u64,
    /// Datagrams that are no DTLS, too long, or no ClientHello though they begin like one.
    pub malformed: u64,
    /// Records that belong to no session and no handshake, or may not come where they came.
    pub unexpected: u64,
    /// ClientHellos in fragments, which cannot be served without state.
    pub fragmented_hellos: u64,
    /// HelloVerifyRequests sent: ClientHellos of unproven addresses.
    pub verify_requests: u64,
    /// Those of them whose ClientHello had a cookie, expired or forged.
    pub invalid_cookies: u64,
    /// Handshakes begun: their address is proven.
    pub handshakes: u64,
    /// Sessions opened.
    pub opened: u64,
    /// Sessions closed, for any reason.
    pub closed: u64,
    /// Handshakes refused, for any reason.
    pub refused: u64,
    /// Those of them with a wrong key or an unknown identity.
    pub wrong_keys: u64,
    /// Those of them whose certificate was refused.
    pub certificates_refused: u64,
    /// Those of them for which there was no room: handshakes or sessions.
    pub no_room: u64,
    /// Those of them that were not finished in time.
    pub timed_out: u64,
    /// Refusals that were not passed on as events, because 64 waited.
    pub refusals_not_passed_on: u64,
    /// Messages decrypted.
    pub messages_in: u64,
    /// Messages encrypted.
    pub messages_out: u64,
    /// Messages not sent because they were too long for their device.
    pub too_long: u64,
}
