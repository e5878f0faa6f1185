//! The binary of a rule: a component, or its native code.

use super::native::NativeCode;
use crate::built_in::BuiltIn;
use contract::digest::Digest;

/// The default rule, built from `guest/comatrix` by this crate's build script.
#[cfg(feature = "compiler")]
pub const DEFAULT_RULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/comatrix.wasm"));

/// The rule for low-bandwidth Matrix, built from `guest/msc3079` in the same way.
#[cfg(feature = "compiler")]
pub const MSC3079_RULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/msc3079.wasm"));

/// The binary of a rule.
#[derive(Clone, Debug)]
pub enum RuleBinary {
    /// WebAssembly, which this gateway compiles.
    #[cfg(feature = "compiler")]
    Component(Vec<u8>),
    /// Native code, compiled elsewhere.
    Native(NativeCode),
}

impl RuleBinary {
    /// A rule that is part of the gateway's binary.
    #[must_use]
    pub fn embedded(rule: BuiltIn) -> Self {
        match rule {
            #[cfg(feature = "compiler")]
            BuiltIn::Comatrix => Self::Component(DEFAULT_RULE.to_vec()),
            #[cfg(feature = "compiler")]
            BuiltIn::Msc3079 => Self::Component(MSC3079_RULE.to_vec()),
            #[cfg(not(feature = "compiler"))]
            BuiltIn::Comatrix => Self::Native(NativeCode::embedded()),
        }
    }

    /// Identifies the component, also for native code.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            #[cfg(feature = "compiler")]
            Self::Component(component) => Digest::of(component),
            Self::Native(native) => native.component(),
        }
    }
}

#[cfg(feature = "compiler")]
impl From<&[u8]> for RuleBinary {
    fn from(component: &[u8]) -> Self {
        Self::Component(component.to_vec())
    }
}
