//! `NAME.rule.json`: the statement of a component's author. A signature covers this file, and so the component's
//! digest.

use comatrix_sdk::vectors::Case;
use serde::{Deserialize, Serialize};

use crate::engine::native_statement::{NativeStatement, StatementError};
use contract::digest::Digest;
use contract::escaping::escaped;
use contract::grant::Grant;

/// Bytes of a manifest; most are vectors.
pub const MAX_MANIFEST: usize = 1 << 20;
/// The version of this gateway's contract.
pub const CONTRACT_VERSION: &str = "0.2.0";
/// Vectors, and calls of each: all of them run at each activation.
pub const MAX_VECTORS: usize = 64;
const MAX_CALLS: usize = 32;
/// Bytes of a name or version: log lines have them.
const MAX_NAME: usize = 64;
/// The fault of a digest.
const NO_DIGEST: &str = "does not have 64 hexadecimal digits";
/// Needs, as many as a description may have.
const MAX_NEEDS: usize = 64;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The rule's name, as the configuration has it.
    pub name: String,
    /// For people.
    pub version: String,
    /// Grows with each release. A rollback compares it.
    #[serde(default = "first")]
    pub revision: u64,
    /// The version of the contract, as in `0.2.0`.
    pub contract: String,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub sha256: String,
    /// The revision that a rollback from this one may not go below.
    #[serde(default)]
    pub min_revision: u64,
    /// The calls that the component describes as its needs.
    pub needs: Vec<Grant>,
    /// The native code beside this manifest; none if the component itself is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeStatement>,
    /// Vectors that the component must pass before it serves.
    #[serde(default)]
    pub vectors: Vec<Case>,
}

/// A manifest is wrong, or is not for this rule.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON, or has other fields.
    #[error("it is no manifest: {0}; write it with `comatrix-gateway rule manifest`")]
    Format(String),
    /// A field exceeds its bounds.
    #[error("its {field} {fault}; write it again with `comatrix-gateway rule manifest`")]
    Field {
        /// Its name.
        field: &'static str,
        /// The fault.
        fault: String,
    },
    /// It is for another rule.
    #[error(
        "it is for the rule \"{found}\", not for \"{expected}\"; configure the rule under its own name"
    )]
    Name {
        /// Of the manifest.
        found: String,
        /// Of the configuration.
        expected: String,
    },
    /// The rule is for another contract.
    #[error(
        "it is for the contract {0}, this gateway has {CONTRACT_VERSION}; get a build of the rule for this contract; \
         if the rule is yours, rebuild it with the SDK of this gateway"
    )]
    Contract(String),
    /// It is for another component.
    #[error(
        "the component's SHA-256 is {found}, the manifest states {stated}: one of them was altered or is of another \
         build; fetch both again, or, if the component is yours, run `comatrix-gateway rule manifest`"
    )]
    Digest {
        /// Of the component.
        found: String,
        /// Of the manifest.
        stated: String,
    },
    /// It is for other native code.
    #[error(transparent)]
    Native(#[from] StatementError),
    /// Manifest and component differ.
    #[error(
        "{what} the need \"{need}\"; its author must run `comatrix-gateway rule manifest` again"
    )]
    Needs {
        /// Which of them has it.
        what: &'static str,
        /// The first that differs.
        need: String,
    },
}

fn first() -> u64 {
    1
}

impl Manifest {
    /// Reads a file's content.
    ///
    /// # Errors
    /// [`ManifestError`] for the first fault of the manifest itself.
    pub fn parse(content: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(content)
            .map_err(|error| ManifestError::Format(escaped(&error.to_string(), 300)))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`ManifestError`] if [`parse`](Self::parse) would refuse them.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let mut content = serde_json::to_vec_pretty(self)
            .map_err(|error| ManifestError::Format(error.to_string()))?;
        content.push(b'\n');
        match content.len() > MAX_MANIFEST {
            true => Err(wrong(
                "vectors",
                format!("make it larger than {MAX_MANIFEST} bytes"),
            )),
            false => Ok(content),
        }
    }

    fn check(&self) -> Result<(), ManifestError> {
        check_name(&self.name).map_err(|fault| wrong("name", fault))?;
        if self.version.len() > MAX_NAME || escaped(&self.version, MAX_NAME) != self.version {
            let fault = format!("has more than {MAX_NAME} bytes or control characters");
            return Err(wrong("version", fault));
        }
        if self.min_revision > self.revision {
            let fault = format!("is above its revision, {}", self.revision);
            return Err(wrong("min_revision", fault));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("sha256", NO_DIGEST.into()));
        }
        for (field, count, most) in [
            ("needs", self.needs.len(), MAX_NEEDS),
            ("vectors", self.vectors.len(), MAX_VECTORS),
        ] {
            if count > most {
                return Err(wrong(field, format!("are {count}, at most {most} may be")));
            }
        }
        for vector in &self.vectors {
            let name = escaped(&vector.name, MAX_NAME);
            if vector.name.is_empty() || name != vector.name {
                let fault = format!(
                    "have a name without text, above {MAX_NAME} bytes or with control characters: {name}"
                );
                return Err(wrong("vectors", fault));
            }
            if vector.calls.len() > MAX_CALLS {
                return Err(wrong(
                    "vectors",
                    format!("have one with more than {MAX_CALLS} calls: {name}"),
                ));
            }
        }
        Ok(())
    }

    /// Checks that it is for this rule, this contract and this component.
    ///
    /// # Errors
    /// [`ManifestError`]: name, contract or digest differ.
    pub fn check_component(&self, name: &str, component: &[u8]) -> Result<(), ManifestError> {
        self.check_rule(name)?;
        let found = format!("{:#}", Digest::of(component));
        match self.sha256.eq_ignore_ascii_case(&found) {
            true => Ok(()),
            false => Err(ManifestError::Digest {
                found,
                stated: self.sha256.clone(),
            }),
        }
    }

    /// Checks that it is for this rule, this contract and this native code. Returns the digest of the component and the
    /// statement about the native code.
    ///
    /// # Errors
    /// [`ManifestError`]: name or contract differ, or it is for other code.
    pub fn check_native(
        &self,
        name: &str,
        native: &[u8],
    ) -> Result<(Digest, NativeStatement), ManifestError> {
        self.check_rule(name)?;
        let stated = self.native.as_ref().ok_or(StatementError::Missing)?;
        stated.check(native)?;
        let component = Digest::from_hex(&self.sha256);
        let component = component.ok_or_else(|| wrong("sha256", NO_DIGEST.into()))?;
        Ok((component, stated.clone()))
    }

    fn check_rule(&self, name: &str) -> Result<(), ManifestError> {
        if self.name != name {
            return Err(ManifestError::Name {
                found: self.name.clone(),
                expected: escaped(name, MAX_NAME),
            });
        }
        if self.contract != CONTRACT_VERSION {
            return Err(ManifestError::Contract(escaped(&self.contract, MAX_NAME)));
        }
        Ok(())
    }

    /// Checks that its needs are those of the component's description, in any order.
    ///
    /// # Errors
    /// [`ManifestError`] names the first need that only one of them has.
    pub fn check_needs(&self, described: &[Grant]) -> Result<(), ManifestError> {
        let differ = |what, need: &Grant| ManifestError::Needs {
            what,
            need: need.to_string(),
        };
        if let Some(need) = described.iter().find(|need| !self.needs.contains(need)) {
            return Err(differ(
                "the component describes, and its manifest does not state,",
                need,
            ));
        }
        match self.needs.iter().find(|need| !described.contains(need)) {
            Some(need) => Err(differ(
                "the manifest states, and the component does not describe,",
                need,
            )),
            None => Ok(()),
        }
    }
}

/// Checks that a rule can have this name: its files have it, and it is the rule's default mount.
///
/// # Errors
/// The fault.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name.bytes().all(allowed);
    match fits {
        true => Ok(()),
        false => Err(format!(
            "is \"{}\", but a name has 1 to {MAX_NAME} letters, digits, '.', '_' and '-', and begins with a letter or \
             digit",
            escaped(name, MAX_NAME)
        )),
    }
}

fn wrong(field: &'static str, fault: String) -> ManifestError {
    ManifestError::Field { field, fault }
}
