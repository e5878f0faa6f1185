//! The target of native code: a kind of processor, with only those features that all of its kind have.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "compiler")]
use super::config;

/// The processor of native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 64-bit PCs.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
    /// Any processor of 32 bits (little-endian, with atomic operations of 64 bits): the runtime interprets this code,
    /// since its compiler supports none of them.
    Pulley32,
}

/// The text is no target for rules.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "rules are not compiled for \"{0}\"; give x86_64, aarch64, or for 32-bit processors armv7, arm, i686 or pulley32, \
     alone or as the first word of a triple such as aarch64-unknown-linux-musl"
)]
pub struct TargetError(String);

impl Target {
    /// The target of this gateway; none for processors that have not been tested.
    #[must_use]
    pub const fn own() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else if cfg!(all(target_pointer_width = "32", target_endian = "little")) {
            Some(Self::Pulley32)
        } else {
            None
        }
    }

    /// Its name in manifests and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Pulley32 => "pulley32",
        }
    }

    /// The name that the compiler uses.
    #[cfg(feature = "compiler")]
    pub(super) const fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => config::X86_64,
            Self::Aarch64 => config::AARCH64,
            Self::Pulley32 => config::PULLEY32,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// From a target's name, or from the first word of one of Rust's target triples.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text.split('-').next().unwrap_or_default() {
            "x86_64" => Ok(Self::X86_64),
            "aarch64" => Ok(Self::Aarch64),
            "armv7" | "arm" | "i686" | "pulley32" => Ok(Self::Pulley32),
            _ => Err(TargetError(
                contract::escaping::escaped(text, 64).to_string(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_alone_or_as_a_triple_and_others_are_refused_with_the_list() {
        for (text, target) in [
            ("x86_64", Target::X86_64),
            ("aarch64-unknown-linux-musl", Target::Aarch64),
            ("armv7-unknown-linux-musleabihf", Target::Pulley32),
            ("i686", Target::Pulley32),
        ] {
            assert_eq!(text.parse(), Ok(target), "{text}");
        }
        for text in ["", "mipsel-unknown-linux-musl", "riscv64gc", "X86_64"] {
            let said = text.parse::<Target>().unwrap_err().to_string();
            assert!(said.contains("aarch64"), "{said}");
        }
    }

    #[test]
    fn the_name_in_a_manifest_is_read_back() {
        for target in [Target::X86_64, Target::Aarch64, Target::Pulley32] {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
    }
}
