//! Native code of a component, compiled by `rule compile` on another machine: a `.cwasm` file.
//!
//! Native code can do everything that the gateway can. So the gateway loads it only from files with a signature of a
//! key that the operator trusts (`Package::read`), or from its own binary; and it loads the bytes in memory that it has
//! checked.

use std::borrow::Cow;
use std::path::Path;

use wasmtime::component::Component;

use super::native_statement::NativeStatement;
use super::target::Target;
use super::{Engine, RUNTIME};
use contract::digest::Digest;
use contract::escaping::escaped;

/// Bytes of native code: that of a JavaScript engine has three times the bytes of its component.
pub const MAX_NATIVE: usize = 64 << 20;
/// Extension of its file.
const EXTENSION: &str = "cwasm";
/// The version of a full gateway that compiles for this one.
const GATEWAY: &str = env!("CARGO_PKG_VERSION");
/// Its first bytes: those of an ELF file, of 64 bits for every target, whose system is the runtime (the last of these
/// bytes).
const HEADER: &[u8] = b"\x7fELF\x02\x01\x01\xc8";

/// Native code that the gateway may run, if it is for this machine and version.
#[derive(Clone, Debug)]
pub struct NativeCode {
    bytes: Cow<'static, [u8]>,
    component: Digest,
    /// None for native code in the binary.
    stated: Option<NativeStatement>,
}

/// This gateway cannot load native code.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// It is for another processor.
    #[error(
        "it is for {made_for}, this gateway runs on {own}; compile the rule with `comatrix-gateway rule compile \
         --target {own}`"
    )]
    Processor {
        /// Of the native code.
        made_for: String,
        /// Of this gateway.
        own: &'static str,
    },
    /// It was compiled with another version.
    #[error(
        "it is for version {made_for} of the runtime, this gateway has {RUNTIME}; compile the rule again with `rule \
         compile` of a full gateway of version {GATEWAY}"
    )]
    Version {
        /// Of the native code.
        made_for: String,
    },
    /// It was compiled with other settings, or for features that this processor lacks.
    #[error(
        "its settings are not those of this gateway: {difference}; compile the rule again with `rule compile` of a \
         full gateway of version {GATEWAY}, with --memory and --memories as [rule.limits] has them"
    )]
    Settings {
        /// The first difference.
        difference: String,
    },
}

/// Whether a file name is that of native code.
pub(crate) fn is_native(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == EXTENSION)
}

/// Whether these bytes begin like native code.
pub(crate) fn looks_native(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

impl NativeCode {
    /// The default rule, compiled by the build script.
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

    /// Native code with its statement. The caller has checked that the statement is signed and is for these bytes.
    pub(crate) fn stated(bytes: Vec<u8>, component: Digest, statement: NativeStatement) -> Self {
        Self {
            bytes: Cow::Owned(bytes),
            component,
            stated: Some(statement),
        }
    }

    /// Identifies its component.
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

/// Loads native code that `precompile_component` has made, here or elsewhere. wasmtime compares every setting of the
/// compiler, and the features of the processor, with those of `engine`.
#[allow(unsafe_code)]
pub(super) fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `precompile_component` of this version must have made the bytes. It has: either this process has just
    // made them; or they come from a file that only this user can write, in a folder that only this user can enter
    // (`Cache::open`), stored by `Cache::store` under the digest of their component; or the build script made them, and
    // they are part of this binary; or a key that the operator trusts to run code here has signed their digest
    // (`Package::read`).
    unsafe { Component::deserialize(engine.wasmtime(), compiled) }
}
