//! `comatrix-gateway rule build [DIR]`: builds a component from a crate.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use comatrix_rule_build::{
    BuildError, Package, compile, componentise, toolchain, write_if_changed,
};

use super::template::library;

/// `build`.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The rule's folder, with its Cargo.toml
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
}

/// Why the build failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildCommandError {
    #[error(
        "{}: {source}; use the folder of a rule, as `comatrix-gateway rule new` creates it", path.display()
    )]
    Manifest { path: PathBuf, source: io::Error },
    #[error("{}: {fault}", path.display())]
    NoPackage { path: PathBuf, fault: String },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// Builds the component and prints its size.
pub(super) fn build(args: &BuildArgs, out: &mut impl Write) -> Result<(), BuildCommandError> {
    let manifest = args.dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|source| BuildCommandError::Manifest {
        path: manifest.clone(),
        source,
    })?;
    let names = Names::read(&text).map_err(|fault| BuildCommandError::NoPackage {
        path: manifest,
        fault,
    })?;
    let workspace = fs::canonicalize(&args.dir).map_err(|source| BuildError::File {
        path: args.dir.clone(),
        source,
    })?;
    let toolchain = toolchain::find(toolchain::forced().map_err(BuildError::from)?)
        .map_err(BuildError::from)?;
    let package = Package {
        name: &names.package,
        library: &names.library,
        workspace: &workspace,
        target_folder: &workspace.join("target/rule").join(toolchain.name()),
        locked: false,
    };
    let module = compile(&toolchain, &package)?;
    let component = componentise(&module)?;
    let file = args.dir.join(format!("{}.wasm", names.rule()));
    write_if_changed(&file, &component)?;
    let shown = plain(&file);
    writeln!(
        out,
        "{}: {} bytes; next:\n",
        shown.display(),
        component.len()
    )?;
    writeln!(out, "  comatrix-gateway rule check {}", shown.display())?;
    Ok(())
}

/// Without the `./` of the default folder.
fn plain(file: &Path) -> &Path {
    file.strip_prefix(".").unwrap_or(file)
}

/// The names of a rule's crate.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    package: String,
    library: String,
}

impl Names {
    /// Reads them from a Cargo.toml. The error is what it lacks.
    fn read(manifest: &str) -> Result<Names, String> {
        let table: toml::Table = manifest
            .parse()
            .map_err(|error: toml::de::Error| error.message().to_owned())?;
        let text = |table: &str, key: &str, from: &toml::Table| {
            let value = from.get(table)?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        let package = text("package", "name", &table)
            .ok_or("no [package] with a name; use the folder of one rule, not of a workspace")?;
        let crate_types = table
            .get("lib")
            .and_then(|lib| lib.get("crate-type")?.as_array());
        let is_cdylib = crate_types
            .is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some("cdylib")));
        if !is_cdylib {
            return Err(
                "a rule's crate needs crate-type = [\"cdylib\", \"rlib\"] in [lib]".to_owned(),
            );
        }
        let library = text("lib", "name", &table).unwrap_or_else(|| library(&package));
        Ok(Names { package, library })
    }

    /// The rule's name: without the ending of [`template::package`](super::template::package).
    fn rule(&self) -> &str {
        self.package.strip_suffix("-rule").unwrap_or(&self.package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";

    #[test]
    fn names_come_from_the_manifest() {
        let names =
            Names::read(&format!("[package]\nname = \"meadow-sensor-rule\"\n{LIB}")).unwrap();
        assert_eq!(names.library, "meadow_sensor_rule");
        assert_eq!(names.rule(), "meadow-sensor");
        let names = Names::read(&format!(
            "[package]\nname = \"meadow\"\n{LIB}name = \"grass\"\n"
        ))
        .unwrap();
        assert_eq!((names.library.as_str(), names.rule()), ("grass", "meadow"));
    }

    #[test]
    fn a_manifest_that_is_not_a_rules_is_refused_with_what_it_lacks() {
        for (manifest, lack) in [
            ("[workspace]\nmembers = []\n", "[package]"),
            ("[package]\nname = \"a\"\n", "cdylib"),
            ("[package\n", "unclosed table"),
        ] {
            let error = Names::read(manifest).unwrap_err();
            assert!(error.contains(lack), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_folder_without_a_manifest() {
        let args = BuildArgs {
            dir: PathBuf::from("/nonexistent"),
        };
        let error = build(&args, &mut Vec::new()).unwrap_err().to_string();
        assert!(
            error.contains("/nonexistent/Cargo.toml") && error.contains("rule new"),
            "{error}"
        );
    }
}
