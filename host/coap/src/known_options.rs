//! Options that the caller understands in requests, besides those that the endpoint does.

use crate::endpoint::Endpoint;
use crate::exchange::RequestMeta;
use crate::peer_id::PeerId;
use crate::protection::MessageProtection;

/// Options that the caller understands. A request with another critical option is refused with 4.02 (RFC 7252 §5.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownOptions {
    /// Critical ones. The caller checks their lengths and repetitions.
    pub critical: Vec<u16>,
    /// Those whose values the caller remembers for a secured session: a client may leave them out of the requests for
    /// further blocks of a body, so they do not distinguish its bodies.
    pub sticky: Vec<u16>,
}

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
