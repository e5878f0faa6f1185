//! The rules that are part of the gateway's binary.

/// A rule that is part of the gateway's binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// The default one.
    Comatrix,
    /// Low-bandwidth Matrix. Not in the build for routers, which is kept small.
    #[cfg(feature = "compiler")]
    Msc3079,
}

impl BuiltIn {
    /// All of this build.
    pub const ALL: &[Self] = &[
        Self::Comatrix,
        #[cfg(feature = "compiler")]
        Self::Msc3079,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Comatrix => "comatrix",
            #[cfg(feature = "compiler")]
            Self::Msc3079 => "msc3079",
        }
    }

    /// The rule of this name, if this build has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|rule| rule.name() == name)
    }
}
