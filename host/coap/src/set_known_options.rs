//! The options that the caller understands, for a running endpoint.

use crate::endpoint::Endpoint;
use crate::exchange::RequestMeta;
use crate::known_options::KnownOptions;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

impl<P: PeerId, X: MessageProtection<P>> Endpoint<P, X> {
    /// Sets the options that the caller understands from now on; none at first.
    pub fn set_known_options(&mut self, known: KnownOptions) {
        self.known_options = known;
    }

    /// The options that do not distinguish bodies of this peer: without a secured session, somebody else may have its
    /// address by now.
    pub(super) fn sticky_options(&self, meta: &RequestMeta<P, X::Context>) -> &[u16] {
        let is_secured = meta.association.is_some() || meta.peer.id.has_proven_address();
        match is_secured {
            true => &self.known_options.sticky,
            false => &[],
        }
    }
}
