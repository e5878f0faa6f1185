//! From the bytes of a component to a revision that can serve: compile, check imports, link, describe, policy.

use wasmparser::{Parser, Payload};
use wasmtime::component::{Component, HasSelf, Linker};

use super::activation_error::ActivationError;
use super::bindings::{Description, Rule};
use super::cache::{Cache, deserialize};
use super::call::CallState;
use super::digest::Digest;
use super::engine::{Engine, Engines};
use super::exports::Exports;
use super::grant::Grant;
use super::links;
use super::revision::{Candidate, Revision};
use crate::access_log::escaped;

/// Bytes of an ordinary rule's component: the default one has 150 KB, one with tables and an SDK a few times that.
const MAX_SMALL_COMPONENT: usize = 4 << 20;
/// Bytes of one of its functions. The largest of the default rule has 8 KiB; this takes a second to compile.
const MAX_SMALL_FUNCTION: usize = 64 << 10;
/// Bytes of a function of an interpreter.
const MAX_FUNCTION: usize = 256 << 10;
/// What a component may import.
const CONTRACT: &str = "comatrix:gateway/";
/// Links and needs of a description: each request is matched against them.
const MAX_DESCRIBED: usize = 64;

impl Revision {
    /// Compiles (or loads from `cache`), links and describes a component, and checks that it needs no more than it may
    /// have.
    ///
    /// # Errors
    /// [`ActivationError`] names the step that failed and what to do.
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
        check_size(candidate).map_err(|fault| ActivationError::TooLarge {
            rule: rule(),
            fault,
        })?;
        let digest = Digest::of(candidate.component);
        let compiled = cache
            .and_then(|cache| cache.load(&engine, digest))
            .map_or_else(
                || compile(engines, &engine, cache, candidate.component, digest),
                Ok,
            )
            .map_err(|error| ActivationError::Compile {
                rule: rule(),
                cause: one_line(&error),
            })?;
        check_imports(&engine, name, &compiled)?;
        let mut linker = Linker::<CallState>::new(engine.wasmtime());
        Rule::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(contract)?;
        let pre = linker.instantiate_pre(&compiled).map_err(contract)?;
        let exports =
            Exports::find(&engine, &candidate.limits, &compiled, &pre).map_err(contract)?;
        let mut revision = Self::linked(candidate, digest, engine, pre, exports);
        let description = revision
            .describe()?
            .map_err(|cause| ActivationError::Refused {
                rule: rule(),
                cause: escaped(&cause, 512),
            })?;
        check_description(name, &description)?;
        check_policy(name, &description, candidate.allow)?;
        revision.description = description;
        Ok(revision)
    }
}

/// The compiler has no bound of its own, and its time and memory grow faster than a function does. What it is given
/// must therefore be small; what is malformed is the compiler's to say.
fn check_size(candidate: &Candidate<'_>) -> Result<(), String> {
    let is_small = candidate.limits.memory <= Engine::SMALL_MEMORY;
    let length = candidate.component.len();
    if is_small && length > MAX_SMALL_COMPONENT {
        return Err(format!(
            "the component has {length} bytes, {MAX_SMALL_COMPONENT} are allowed"
        ));
    }
    let limit = if is_small {
        MAX_SMALL_FUNCTION
    } else {
        MAX_FUNCTION
    };
    for payload in Parser::new(0).parse_all(candidate.component).flatten() {
        if let Payload::CodeSectionEntry(body) = payload
            && body.range().len() > limit
        {
            return Err(format!(
                "a function has {} bytes, {limit} are allowed",
                body.range().len()
            ));
        }
    }
    Ok(())
}

/// The engine's reason; the reader of the log sees one line.
fn one_line(error: &wasmtime::Error) -> String {
    escaped(&format!("{error:#}"), 300)
}

fn compile(
    engines: &Engines,
    engine: &Engine,
    cache: Option<&Cache>,
    component: &[u8],
    digest: Digest,
) -> wasmtime::Result<Component> {
    let compiled = engines.compiler().precompile(engine, component)?;
    if let Some(Err(error)) = cache.map(|cache| cache.store(engine, digest, &compiled)) {
        // Without a cache the gateway still works; its next start takes longer.
        tracing::warn!("{error}");
    }
    deserialize(engine, &compiled)
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

/// A description may lie; it must not make the gateway answer nonsense.
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
            return impossible("a need has more than the four methods that there are".to_owned());
        }
        if let Err(fault) = links::check_path(&need.path) {
            return impossible(format!("a need: {fault}"));
        }
    }
    Ok(())
}

/// What is not granted is denied, and that is better said now than at the first request.
fn check_policy(
    rule: &str,
    description: &Description,
    allow: Option<&[Grant]>,
) -> Result<(), ActivationError> {
    let Some(allow) = allow else { return Ok(()) };
    let needs = description
        .needs
        .iter()
        .map(Grant::of)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| ActivationError::Impossible {
            rule: rule.to_owned(),
            fault: fault.to_string(),
        })?;
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
