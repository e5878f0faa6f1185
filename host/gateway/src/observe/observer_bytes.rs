//! The bytes that observations hold besides their entries and their notifications: names, paths and tokens, as long as
//! devices make them.

use crate::byte_account::{ByteAccount, Counted};
use crate::request::ObserveRequest;
use contract::{Context, Watch};
use share::{Bounds, Owner};

/// Bytes of a text or list besides its content.
const VALUE: usize = size_of::<String>();

/// The account of all observations; a host has an eighth of it.
pub(super) struct ObserverBytes(ByteAccount);

impl ObserverBytes {
    pub(super) fn new(in_all: usize) -> Self {
        Self(ByteAccount::new(Bounds::of_bytes(in_all)))
    }

    /// Applies another bound to new observations.
    pub(super) fn set_bound(&self, in_all: usize) {
        self.0.set_bounds(Bounds::of_bytes(in_all));
    }

    /// Whether one more observation of this host fits.
    pub(super) fn has_room(&self, owner: Owner, bytes: usize) -> bool {
        self.0.has_room(owner, bytes)
    }

    /// Counts an observation.
    pub(super) fn count(&self, owner: Owner, bytes: usize) -> Counted {
        self.0.count(owner, bytes)
    }
}

/// The bytes of the observation that a request starts.
pub(super) fn bytes_of(request: &ObserveRequest) -> usize {
    let ObserveRequest {
        watch,
        context,
        device,
        path,
        ..
    } = request;
    let Watch {
        topic,
        share,
        state,
        ..
    } = watch;
    let Context {
        captures,
        requested,
        principal,
        flow_id,
        facts,
        ..
    } = context;
    let (path_of_target, query) = requested
        .as_ref()
        .map_or((&[][..], &[][..]), |target| (&target.path, &target.query));
    let token = device.own_token().map_or(0, |token| token.length());
    // The topic is a name in its poll too.
    let topic = 2 * (topic.len() + VALUE) + share.len() + state.len();
    topic
        + texts(captures)
        + texts(path)
        + texts(path_of_target)
        + pairs(query)
        + pairs(facts)
        + principal.as_ref().map_or(0, String::len)
        + flow_id.len()
        + token
}

fn texts(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + VALUE).sum()
}

fn pairs(pairs: &[(String, String)]) -> usize {
    let bytes = |(name, value): &(String, String)| name.len() + value.len() + 2 * VALUE;
    pairs.iter().map(bytes).sum()
}
