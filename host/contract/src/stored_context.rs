//! The context of an exchange whose delivery waits, as it is stored.

use serde::{Deserialize, Serialize};

use crate::bindings::{Context, Target};

/// A context without the query of a Proxy-Uri, which can hold an access token, and without the time. It is a type of
/// its own, since a change of `wit/` must not change unnoticed what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredContext {
    link: u16,
    captures: Vec<String>,
    /// The path of the Proxy-Uri; none if the request had none.
    requested: Option<Vec<String>>,
    principal: Option<String>,
    flow_id: String,
    facts: Vec<(String, String)>,
}

impl StoredContext {
    /// The parts of a context that are stored.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        let Context {
            link,
            captures,
            requested,
            principal,
            flow_id,
            now: _,
            facts,
        } = context;
        Self {
            link: *link,
            captures: captures.clone(),
            requested: requested.as_ref().map(|target| target.path.clone()),
            principal: principal.clone(),
            flow_id: flow_id.clone(),
            facts: facts.clone(),
        }
    }

    /// The context for a call at this time: Unix seconds, none while the clock is not set.
    #[must_use]
    pub fn at(self, now: Option<u64>) -> Context {
        let Self {
            link,
            captures,
            requested,
            principal,
            flow_id,
            facts,
        } = self;
        Context {
            link,
            captures,
            requested: requested.map(|path| Target {
                path,
                query: Vec::new(),
            }),
            principal,
            flow_id,
            now,
            facts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context {
            link: 3,
            captures: vec!["!r:h".into()],
            requested: Some(Target {
                path: vec!["rooms".into(), "!r:h".into()],
                query: vec![("access_token".into(), "syt_secret".into())],
            }),
            principal: Some("meadow".into()),
            flow_id: "0f".repeat(16),
            now: Some(1_700_000_000),
            facts: vec![("accept".into(), "50".into())],
        }
    }

    #[test]
    fn a_context_comes_back_with_the_present_time_and_without_its_query() {
        let Context {
            requested, now: _, ..
        } = context();
        let expected = Context {
            requested: requested.map(|target| Target {
                query: vec![],
                ..target
            }),
            now: Some(1_700_086_400),
            ..context()
        };
        let back = StoredContext::of(&context()).at(Some(1_700_086_400));
        assert_eq!(format!("{back:?}"), format!("{expected:?}"));
    }

    #[test]
    fn no_secret_of_a_proxy_uri_is_stored() {
        let stored = format!("{:?}", StoredContext::of(&context()));
        assert!(
            stored.contains("rooms") && !stored.contains("secret"),
            "{stored}"
        );
    }
}
