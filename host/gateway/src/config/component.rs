//! Where the component of a rule comes from.

use std::path::{Path, PathBuf};

use contract::escaping::escaped;
use runtime::BuiltIn;

/// Before the name of a rule that is part of the gateway.
pub(super) const BUILT_IN: &str = "builtin:";

/// Where the component of a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// The gateway's own binary.
    BuiltIn(BuiltIn),
    /// A file.
    File(PathBuf),
}

impl Component {
    /// From a configured text: `builtin:NAME`, or the path of a file.
    ///
    /// # Errors
    /// The fault and its remedy, if this build has no such rule.
    pub(super) fn of(text: PathBuf) -> Result<Self, String> {
        let Some(name) = text.to_str().and_then(|text| text.strip_prefix(BUILT_IN)) else {
            return Ok(Self::File(text));
        };
        let names = || {
            BuiltIn::ALL
                .iter()
                .map(|rule| format!("{BUILT_IN}{}", rule.name()))
        };
        BuiltIn::named(name).map(Self::BuiltIn).ok_or_else(|| {
            format!(
                "this build of the gateway has no {BUILT_IN}{}; it has {}; or name a file",
                escaped(name, 64),
                names().collect::<Vec<_>>().join(" and ")
            )
        })
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::BuiltIn(_) => None,
            Self::File(path) => Some(path),
        }
    }
}
