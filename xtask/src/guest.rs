//! Builds the rules of this workspace: a folder under `guest/` becomes a WebAssembly component in one file.

use std::path::{self, Path, PathBuf};

use comatrix_rule_build::toolchain::{self, Toolchain};
use comatrix_rule_build::{BuildError, Package, compile, componentise, write_if_changed};

use crate::javascript::{self, JavascriptError};

/// A rule that this workspace builds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its file is `<name>.wasm`.
    pub name: &'static str,
    /// Where its sources are.
    pub folder: &'static str,
    /// Its language.
    pub language: Language,
}

/// The language of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A package of this workspace.
    Rust {
        /// Its name.
        package: &'static str,
        /// Its library's name.
        library: &'static str,
    },
    /// A folder with a `package.json` and a lock file.
    Javascript,
}

/// Every rule of this workspace.
pub const RULES: &[Rule] = &[
    rust(
        "comatrix",
        "guest/comatrix",
        "comatrix-rule",
        "comatrix_rule",
    ),
    rust("msc3079", "guest/msc3079", "msc3079-rule", "msc3079_rule"),
    rust("senml", "guest/examples/senml", "senml-rule", "senml_rule"),
    rust(
        "command",
        "guest/examples/command",
        "command-rule",
        "command_rule",
    ),
    rust(
        "stream",
        "guest/examples/stream",
        "stream-rule",
        "stream_rule",
    ),
    rust(
        "plugtest",
        "tests/plugtest_rule",
        "plugtest-rule",
        "plugtest_rule",
    ),
    Rule {
        name: "convert",
        folder: "guest/examples/javascript",
        language: Language::Javascript,
    },
];

const fn rust(
    name: &'static str,
    folder: &'static str,
    package: &'static str,
    library: &'static str,
) -> Rule {
    Rule {
        name,
        folder,
        language: Language::Rust { package, library },
    }
}

/// Why a rule was not built.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The name is not in [`RULES`].
    #[error("there is no rule {0:?} to build; the rules are listed in xtask/src/guest.rs")]
    UnknownRule(String),
    /// Building a rule in Rust failed.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Building a rule in JavaScript failed.
    #[error(transparent)]
    Javascript(#[from] JavascriptError),
}

/// Builds the rule `rule` of the workspace at `workspace` into `<out>/<rule>.wasm`, and returns that path. The
/// toolchain is the one that [`toolchain::find`] chooses.
///
/// Compiles in a target folder of its own, `target/guest-build`: an outer cargo, whose build script calls this,
/// holds the lock of the usual one. Quick when nothing has changed; the file keeps its time then.
pub fn build(rule: &str, workspace: &Path, out: &Path) -> Result<PathBuf, GuestError> {
    let forced = toolchain::forced().map_err(BuildError::from)?;
    let toolchain = toolchain::find(forced).map_err(BuildError::from)?;
    build_with(&toolchain, rule, workspace, out)
}

/// As [`build`], with this toolchain, if the rule is one for Rust's toolchain.
pub fn build_with(
    toolchain: &Toolchain,
    rule: &str,
    workspace: &Path,
    out: &Path,
) -> Result<PathBuf, GuestError> {
    let rule = find(rule)?;
    let workspace = path::absolute(workspace).map_err(|source| BuildError::File {
        path: workspace.to_owned(),
        source,
    })?;
    let file = out.join(format!("{}.wasm", rule.name));
    let build_folder = workspace.join("target/guest-build");
    match rule.language {
        Language::Rust { package, library } => {
            let package = Package {
                name: package,
                library,
                workspace: &workspace,
                target_folder: &build_folder.join(toolchain.name()),
                locked: true,
            };
            let module = compile(toolchain, &package)?;
            write_if_changed(&file, &componentise(&module)?)?;
        }
        Language::Javascript => {
            let component = javascript::build(
                &workspace.join(rule.folder),
                &workspace.join("wit"),
                &build_folder.join("javascript"),
            )?;
            write_if_changed(&file, &component)?;
        }
    }
    Ok(file)
}

fn find(name: &str) -> Result<&'static Rule, GuestError> {
    RULES
        .iter()
        .find(|rule| rule.name == name)
        .ok_or_else(|| GuestError::UnknownRule(name.to_owned()))
}

/// The files and folders that `rule` is made from, for the build script that embeds it to watch.
pub fn sources(rule: &str, workspace: &Path) -> Result<Vec<PathBuf>, GuestError> {
    let shared = [
        "guest/build",
        "guest/sdk",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
    ];
    Ok([find(rule)?.folder]
        .iter()
        .chain(&shared)
        .map(|name| workspace.join(name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_does_not_exist_is_refused_before_anything_is_built() {
        let here = Path::new(".");
        let error = build_with(&Toolchain::Rustup, "nothing", here, here);
        assert!(matches!(error, Err(GuestError::UnknownRule(name)) if name == "nothing"));
    }

    #[test]
    fn the_folder_of_every_rule_is_there() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for rule in RULES {
            let manifest = match rule.language {
                Language::Rust { .. } => "Cargo.toml",
                Language::Javascript => "package-lock.json",
            };
            let manifest = workspace.join(rule.folder).join(manifest);
            assert!(manifest.is_file(), "{}", manifest.display());
        }
    }
}
