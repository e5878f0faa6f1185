//! Native code of a component, made by `rule compile` on another machine: a `.cwasm` file.
//!
//! Native code can do whatever the gateway can. So it comes in only one way, out of files that somebody has signed whom
//! the operator trusts (`Package::read`), or as part of the binary; and it is loaded from the memory in which it was
//! checked.

use std::borrow::Cow;
use std::path::Path;

use wasmtime::component::Component;

use super::native_statement::NativeStatement;
use super::target::Target;
use super::{Engine, RUNTIME};
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of native code: three times those of the component of a JavaScript engine do.
pub const MAX_NATIVE: usize = 64 << 20;
/// What the name of its file ends with.
const EXTENSION: &str = "cwasm";
/// The version of a full gateway that makes what this one takes.
const GATEWAY: &str = env!("CARGO_PKG_VERSION");
/// How it begins: as an ELF file, of 64 bits whatever it is for, whose system is the runtime (the last of these bytes).
const HEADER: &[u8] = b"\x7fELF\x02\x01\x01\xc8";

/// Native code that may be run, if it is for this machine and gateway.
#[derive(Clone, Debug)]
pub struct NativeCode {
    bytes: Cow<'static, [u8]>,
    component: Digest,
    /// None for what is part of the binary.
    stated: Option<NativeStatement>,
}

/// Why native code cannot be loaded here.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// Made for others.
    #[error(
        "it is for {made_for}, this gateway runs on {own}; make it with `comatrix-gateway rule compile --target {own}`"
    )]
    Processor {
        /// What it states.
        made_for: String,
        /// Of this gateway.
        own: &'static str,
    },
    /// Made with another version.
    #[error(
        "it is for version {made_for} of the runtime, this gateway has {RUNTIME}; make it anew with `rule compile` of \
         a full gateway of version {GATEWAY}"
    )]
    Version {
        /// What it states.
        made_for: String,
    },
    /// Made with other settings, or for features that this processor lacks.
    #[error(
        "its settings are not those of this gateway: {difference}; make it anew with `rule compile` of a full gateway \
         of version {GATEWAY}, with --memory and --memories as [rule.limits] has them"
    )]
    Settings {
        /// The first difference.
        difference: String,
    },
}

/// Whether a file is to be read as native code.
pub(crate) fn is_native(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

/// Whether this begins as native code does.
pub(crate) fn looks_native(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

impl NativeCode {
    /// The default rule, as the build script has compiled it.
    #[cfg(not(feature = "compiler"))]
    pub(crate) fn embedded() -> Self {
        Self {
            bytes: Cow::Borrowed(include_bytes!(concat!(env!("OUT_DIR"), "/comatrix.cwasm"))),
            component: Digest::from_bytes(*include_bytes!(concat!(
                env!("OUT_DIR"),
                "/comatrix.sha256"
            ))),
            stated: None,
        }
    }

    /// Whoever calls has checked that these are the bytes of the statement, and that it is signed.
    pub(crate) fn stated(bytes: Vec<u8>, component: Digest, statement: NativeStatement) -> Self {
        Self {
            bytes: Cow::Owned(bytes),
            component,
            stated: Some(statement),
        }
    }

    /// What identifies the component that it was made of.
    pub(crate) fn component(&self) -> Digest {
        self.component
    }

    /// The code, ready to be linked.
    pub(crate) fn load(&self, engine: &Engine) -> Result<Component, NativeError> {
        if let Some(NativeStatement {
            target, runtime, ..
        }) = &self.stated
        {
            let own = Target::own().map_or("a processor without rules", Target::name);
            if target != own {
                let made_for = escaped(target, 64);
                return Err(NativeError::Processor { made_for, own });
            }
            if runtime != RUNTIME {
                let made_for = escaped(runtime, 64);
                return Err(NativeError::Version { made_for });
            }
        }
        deserialize(engine, &self.bytes).map_err(|error| NativeError::Settings {
            difference: escaped(&format!("{error:#}"), 300),
        })
    }
}

/// Loads what `precompile_component` has made, here or elsewhere. wasmtime itself compares every setting of the
/// compiler, and the features of the processor, with those of `engine`.
#[allow(unsafe_code)]
pub(crate) fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes must be what `precompile_component` of this version made. They are: either this process has
    // just made them; or they come from a file that only this user can write, in a folder that only this user can enter
    // (`Cache::open`), stored by `Cache::store` under the digest of their component; or the build script made them, and
    // they are part of this binary; or a key that the operator trusts to run code here has signed their digest
    // (`Package::read`).
    unsafe { Component::deserialize(engine.wasmtime(), compiled) }
}
