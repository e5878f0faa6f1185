//! What a rule says of itself beside the description, if it exports these interfaces: `wit/proxy.wit`,
//! `wit/rights.wit`, `wit/options.wit` and `wit/feed.wit`. The gateway acts on it, so it is checked at the activation.

use super::Revision;
use crate::call::Trap;
use crate::call::exports::Settings;
use crate::call::function::{Function, Signature};
use crate::call::sensitive_inputs::SensitiveInputs;
use contract::KnownOptions;
use contract::links::Mismatch;
use contract::requested_paths::RequestedPaths;

impl Revision {
    /// Takes over what the rule says of the links of its description, and of options.
    ///
    /// # Errors
    /// [`Trap`]; inside, the fault of the rule, for the operator.
    pub(super) fn read_optional_exports(&mut self) -> Result<Result<(), String>, Trap> {
        let requested = self.optional(self.exports.requested_paths.as_ref())?;
        let needs_token = self.optional(self.exports.needs_token.as_ref())?;
        let links = &self.description.links;
        if let Some(link) = needs_token
            .iter()
            .find(|link| usize::from(**link) >= links.len())
        {
            return Ok(Err(format!(
                "link {link}, which needs a token, does not exist"
            )));
        }
        let known = self.optional(self.exports.known_options.as_ref())?;
        let feeds = self.exports.feeder.as_ref().map(|feeder| &feeder.feeds);
        let feeds = self.optional(feeds)?;
        let is_observable = |feed: &u16| {
            let link = links.get(usize::from(*feed));
            link.is_some_and(|link| link.observable)
        };
        if let Some(feed) = feeds.iter().find(|feed| !is_observable(feed)) {
            return Ok(Err(format!(
                "link {feed}, which is a feed, is not observable or does not exist"
            )));
        }
        // Each registration is compared with all of them.
        if feeds.len() > links.len() {
            return Ok(Err("it has more feeds than links".to_owned()));
        }
        let parsed = RequestedPaths::parse(links, &requested);
        let parsed = parsed.and_then(|paths| Ok((paths, KnownOptions::parse(known)?)));
        Ok(parsed.map(|(paths, known)| {
            self.requested_paths = paths;
            self.needs_token = needs_token.into();
            self.known_options = known;
            self.feeds = feeds.into();
        }))
    }

    /// The list that such a function returns, in a fresh instance; empty if the rule does not export it.
    fn optional<S, T>(&self, function: Option<&Function<S>>) -> Result<Vec<T>, Trap>
    where
        S: for<'a> Signature<Params<'a> = (Settings<'a>,), Output = Vec<T>>,
        Vec<T>: wasmtime::component::Lift,
    {
        let Some(function) = function else {
            return Ok(Vec::new());
        };
        let params = (self.settings.as_slice(),);
        self.call(function, params, &SensitiveInputs::default())
    }

    /// The Uri-Path (relative to the mount) of the link that the path of a Proxy-Uri and a method code name.
    ///
    /// # Errors
    /// [`Mismatch`]: the path, or only the method, is unknown.
    pub fn find_requested(&self, path: &[String], method: u8) -> Result<Vec<&str>, Mismatch> {
        self.requested_paths
            .find(&self.description.links, path, method)
    }

    /// The CoAP options that the rule understands besides those of the host.
    #[must_use]
    pub fn known_options(&self) -> &KnownOptions {
        &self.known_options
    }

    /// Whether a request for this link has no success without an access token.
    #[must_use]
    pub fn needs_token(&self, link: u16) -> bool {
        self.needs_token.contains(&link)
    }
}
