//! The engines of a gateway: one for each size of rule.

use std::sync::{Arc, OnceLock};

#[cfg(feature = "compiler")]
use super::compiler::Compiler;
use super::config::Size;
use super::{Engine, EngineError};
use crate::limits::RuleLimits;

/// The engine of each size of rule. The engine of large rules starts with the first of them.
#[derive(Clone)]
pub struct Engines {
    small: Engine,
    large: Arc<OnceLock<Engine>>,
    #[cfg(feature = "compiler")]
    compiler: Compiler,
}

impl Engines {
    /// Starts the engine of ordinary rules. If there is a compiler, it runs in this process.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    pub fn new() -> Result<Self, EngineError> {
        Ok(Self {
            small: Engine::new()?,
            large: Arc::default(),
            #[cfg(feature = "compiler")]
            compiler: Compiler::default(),
        })
    }

    /// Starts the engine of ordinary rules, with this compiler.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    #[cfg(feature = "compiler")]
    pub fn compiling(compiler: Compiler) -> Result<Self, EngineError> {
        Ok(Self {
            compiler,
            ..Self::new()?
        })
    }

    #[cfg(feature = "compiler")]
    pub(crate) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The engine for rules with these limits.
    ///
    /// # Errors
    /// [`EngineError`], see [`Engine::new`].
    pub fn fit(&self, limits: &RuleLimits) -> Result<Engine, EngineError> {
        if Engine::size(limits) == Size::Small {
            return Ok(self.small.clone());
        }
        if let Some(large) = self.large.get() {
            return Ok(large.clone());
        }
        let large = Engine::of(Size::Large)?;
        Ok(self.large.get_or_init(|| large).clone())
    }
}
