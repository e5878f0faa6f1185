//! What an exchange costs on the air.

/// UDP payloads of an exchange in both directions, including handshakes, blocks, acknowledgements and retransmissions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) datagrams_sent: u32,
    pub(super) bytes_sent: u64,
    pub(super) datagrams_received: u32,
    pub(super) bytes_received: u64,
    pub(super) retransmissions: u32,
}
