//! Makes a revision of a component: compile, check imports, link, describe, policy.

use wasmtime::component::{Component, HasSelf, Linker};

use super::Revision;
use super::activation_error::ActivationError;
use super::candidate::Candidate;
use crate::call::CallState;
use crate::call::exports::Exports;
use crate::engine::Engine;
use crate::engine::cache::Cache;
#[cfg(feature = "compiler")]
use crate::engine::compile::{Uncompiled, compiled};
use crate::engine::engines::Engines;
use crate::engine::rule_binary::RuleBinary;
use crate::package::manifest::CONTRACT_VERSION;
use contract::bindings::{Description, Rule};
use contract::escaping::escaped;
use contract::grant::Grant;
use contract::links;

/// The only imports of a component.
const CONTRACT: &str = "comatrix:gateway/";
/// Links and needs of a description: each request and call is matched against them.
const MAX_DESCRIBED: usize = 64;

impl Revision {
    /// Compiles a component (or loads its native code, from `cache` or from the package), links it, calls `describe`,
    /// and checks that it needs no call that it may not make.
    ///
    /// # Errors
    /// [`ActivationError`]: the step that failed, and the remedy.
    #[cfg_attr(
        not(feature = "compiler"),
        allow(unused_variables, reason = "the cache keeps only compiled code")
    )]
    pub fn activate(
        engines: &Engines,
        cache: Option<&Cache>,
        candidate: &Candidate<'_>,
    ) -> Result<Self, ActivationError> {
        let name = &**candidate.state.name();
        let rule = || name.to_owned();
        let contract = |error: wasmtime::Error| ActivationError::Contract {
            rule: rule(),
            cause: one_line(&error),
        };
        let engine = engines
            .fit(&candidate.limits)
            .map_err(|cause| ActivationError::Engine {
                rule: rule(),
                cause,
            })?;
        let component = match candidate.code {
            #[cfg(feature = "compiler")]
            RuleBinary::Component(component) => {
                let memory = candidate.limits.memory;
                compiled(engines.compiler(), &engine, cache, memory, component).map_err(
                    |uncompiled| match uncompiled {
                        Uncompiled::TooLarge(fault) => ActivationError::TooLarge {
                            rule: rule(),
                            fault,
                        },
                        Uncompiled::Refused(error) => ActivationError::Compile {
                            rule: rule(),
                            cause: one_line(&error),
                        },
                    },
                )?
            }
            RuleBinary::Native(native) => {
                native
                    .load(&engine)
                    .map_err(|cause| ActivationError::Native {
                        rule: rule(),
                        cause,
                    })?
            }
        };
        check_imports(&engine, name, &component)?;
        check_version(&engine, name, &component)?;
        let mut linker = Linker::<CallState>::new(engine.wasmtime());
        Rule::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(contract)?;
        let pre = linker.instantiate_pre(&component).map_err(contract)?;
        let exports =
            Exports::find(&engine, &candidate.limits, &component, &pre).map_err(contract)?;
        let mut revision = Self::linked(candidate, engine, pre, exports);
        let description = revision
            .describe()?
            .map_err(|cause| ActivationError::Refused {
                rule: rule(),
                cause: escaped(&cause, 512),
            })?;
        check_description(name, &description)?;
        revision
            .describes(description)
            .map_err(|fault| ActivationError::Impossible {
                rule: rule(),
                fault: fault.to_string(),
            })?;
        revision
            .read_optional_exports()?
            .map_err(|fault| ActivationError::Impossible {
                rule: rule(),
                fault,
            })?;
        check_policy(name, revision.needs(), candidate.allow)?;
        Ok(revision)
    }
}

/// The engine's reason as one line of the log.
fn one_line(error: &wasmtime::Error) -> String {
    escaped(&format!("{error:#}"), 300)
}

fn check_imports(
    engine: &Engine,
    rule: &str,
    component: &Component,
) -> Result<(), ActivationError> {
    component
        .component_type()
        .imports(engine.wasmtime())
        .map(|(import, _)| import)
        .find(|import| !import.starts_with(CONTRACT))
        .map_or(Ok(()), |import| {
            Err(ActivationError::Import {
                rule: rule.to_owned(),
                import: escaped(import, 100),
            })
        })
}

/// Checks that the interfaces of the contract that it imports and exports are those of this version. The linker would
/// only say that one of them is missing.
fn check_version(
    engine: &Engine,
    rule: &str,
    component: &Component,
) -> Result<(), ActivationError> {
    let ty = component.component_type();
    let imports = ty.imports(engine.wasmtime()).map(|(name, _)| name);
    let exports = ty.exports(engine.wasmtime()).map(|(name, _)| name);
    let mut versions = imports.chain(exports).filter_map(|name| {
        let (_, version) = name.strip_prefix(CONTRACT)?.split_once('@')?;
        Some(version)
    });
    match versions.find(|version| compatible(version) != compatible(CONTRACT_VERSION)) {
        None => Ok(()),
        Some(found) => Err(ActivationError::OtherContract {
            rule: rule.to_owned(),
            found: escaped(found, 32),
        }),
    }
}

/// The part of a version 0.y.z that a change of the contract changes.
fn compatible(version: &str) -> Option<&str> {
    version.rsplit_once('.').map(|(compatible, _)| compatible)
}

/// Checks a description: a rule can describe anything, and the gateway acts on it.
fn check_description(rule: &str, description: &Description) -> Result<(), ActivationError> {
    for (what, count) in [
        ("links", description.links.len()),
        ("needs", description.needs.len()),
    ] {
        if count > MAX_DESCRIBED {
            return Err(ActivationError::Description {
                rule: rule.to_owned(),
                what,
                count,
            });
        }
    }
    let impossible = |fault: String| {
        Err(ActivationError::Impossible {
            rule: rule.to_owned(),
            fault,
        })
    };
    for link in &description.links {
        if let Err(fault) = links::check(link) {
            return impossible(fault);
        }
    }
    for need in &description.needs {
        if need.methods.len() > 4 {
            return impossible("a need has more than four methods".to_owned());
        }
        if let Err(fault) = links::check_path(&need.path) {
            return impossible(format!("a need: {fault}"));
        }
    }
    Ok(())
}

/// A call that is not granted is denied. The operator learns it now and not at the first request.
fn check_policy(
    rule: &str,
    needs: &[Grant],
    allow: Option<&[Grant]>,
) -> Result<(), ActivationError> {
    let Some(allow) = allow else { return Ok(()) };
    let missing: Vec<String> = needs
        .iter()
        .filter(|need| !allow.iter().any(|grant| grant.covers(need)))
        .map(|need| format!("\"{need}\""))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ActivationError::NotGranted {
        rule: rule.to_owned(),
        missing: escaped(&missing.join(", "), 2000),
    })
}
