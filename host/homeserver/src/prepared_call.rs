//! A call on its way to a homeserver, as a value.

use serde::{Deserialize, Serialize};
use url::Url;

use contract::{CheckedRequest, Credential};

/// A call with the origin of its homeserver and without its access token: that is attached when the call is sent. So a
/// call can be sent again, and it can be stored until its outcome is certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedCall {
    /// Scheme, host and port.
    pub(super) origin: Url,
    /// Whose access token is attached.
    pub(super) credential: Credential,
    pub(super) request: CheckedRequest,
}

impl PreparedCall {
    /// Scheme, host and port of the homeserver.
    #[must_use]
    pub fn origin(&self) -> &Url {
        &self.origin
    }

    /// The request; clones of it share the body.
    #[must_use]
    pub fn request(&self) -> &CheckedRequest {
        &self.request
    }
}
