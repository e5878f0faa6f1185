//! Programs that cargo installs from source.

use std::path::{Path, PathBuf};
use std::process::Command;

use comatrix_rule_build::version::Version;

use crate::run::{CommandError, announce, cargo, run};

/// Installs `version` of `program` into `folder`, unless that version is there. Returns the program's file.
pub fn install(
    workspace: &Path,
    folder: &Path,
    program: &str,
    version: &str,
) -> Result<PathBuf, CommandError> {
    let file = folder.join("bin").join(program);
    if !is_version(&file, version) {
        announce(&format!("installing {program} {version}"));
        let package = format!("{program}@{version}");
        run(cargo(workspace)
            .args(["install", &package, "--locked", "--force", "--root"])
            .arg(folder))?;
    }
    Ok(file)
}

fn is_version(file: &Path, version: &str) -> bool {
    let output = Command::new(file).arg("--version").output();
    output.is_ok_and(|output| {
        let printed = Version::after("", &String::from_utf8_lossy(&output.stdout));
        printed.is_some() && printed == Version::after("", version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_program_of_another_version_is_not_taken_for_the_one_that_is_needed() {
        let folder = Scratch::new("cargo-tool");
        let file = folder.script("cargo-fuzz", "echo cargo-fuzz 0.12.0");
        assert!(is_version(&file, "0.12.0"));
        assert!(!is_version(&file, "0.13.2"));
        assert!(!is_version(Path::new("/nowhere/cargo-fuzz"), "0.13.2"));
    }
}
