//! Python virtual environments: the real parts of the end-to-end tests, and the cross compiler.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::apt::{Apt, AptError};
use crate::run::{CommandError, announce, run};

/// Prints `name==version` for each name among its arguments that is installed in its own environment.
const VERSIONS: &str = "\
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(f'{name}=={importlib.metadata.version(name)}')
    except importlib.metadata.PackageNotFoundError:
        pass
";

/// Why there is no virtual environment.
#[derive(Debug, thiserror::Error)]
pub enum VenvError {
    /// Debian's module `venv` cannot be installed.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// python3 cannot make one.
    #[error(
        "{0}. The first python3 on PATH needs the module `venv`; Debian's has it with the package python3-venv, and of \
         another one remove it from PATH or install the module"
    )]
    Create(CommandError),
    /// pip could not install the packages.
    #[error("{0}; see pip's messages above. The packages come from Python's package index")]
    Pip(CommandError),
    /// pip succeeded, and yet the versions differ.
    #[error(
        "pip has installed the packages of {}, and {} still does not have {missing}. Remove that folder and run this \
         command again", requirements.display(), venv.display()
    )]
    Unfit {
        requirements: PathBuf,
        venv: PathBuf,
        missing: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Makes the virtual environment `venv` hold the versions that the file `requirements` lists. Does nothing if it
/// does.
pub fn complete(venv: &Path, requirements: &Path, apt: &mut Apt) -> Result<(), VenvError> {
    // Written last, so an interrupted installation counts as none.
    let stamp = venv.join("installed-requirements.txt");
    let wanted = fs::read_to_string(requirements).map_err(|source| failed(requirements, source))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && missing(venv, &wanted).is_empty()
    {
        return Ok(());
    }
    create(venv, apt)?;
    announce(&format!(
        "installing the packages of {} into {}",
        requirements.display(),
        venv.display()
    ));
    run(Command::new(venv.join("bin/python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check", "-r"])
        .arg(requirements))
    .map_err(VenvError::Pip)?;
    let missing = missing(venv, &wanted);
    if !missing.is_empty() {
        return Err(VenvError::Unfit {
            requirements: requirements.to_owned(),
            venv: venv.to_owned(),
            missing: missing.join(", "),
        });
    }
    fs::write(&stamp, wanted).map_err(|source| failed(&stamp, source))
}

/// The lines of `requirements` whose version `venv` does not have. Of an environment whose Python has been replaced
/// by another release, or is gone, that is every line.
fn missing(venv: &Path, requirements: &str) -> Vec<String> {
    let pins = pins(requirements);
    let names = pins.iter().filter_map(|pin| pin.split("==").next());
    let output = Command::new(venv.join("bin/python"))
        .args(["-c", VERSIONS])
        .args(names)
        .stderr(Stdio::null())
        .output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let printed = printed.unwrap_or_default();
    pins.into_iter()
        .filter(|pin| !printed.lines().any(|line| line == pin))
        .collect()
}

/// The lines `name==version` of a file of requirements, without comments and extras.
fn pins(requirements: &str) -> Vec<String> {
    let lines = requirements.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| match (line.split_once('['), line.split_once(']')) {
            (Some((name, _)), Some((_, version))) => format!("{name}{version}"),
            _ => line.to_owned(),
        })
        .collect()
}

/// Makes an empty virtual environment in the folder `venv`.
fn create(venv: &Path, apt: &mut Apt) -> Result<(), VenvError> {
    remove_link(venv)?;
    announce(&format!(
        "creating the virtual environment {}",
        venv.display()
    ));
    let make = || {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv))
    };
    if make().is_ok() {
        return Ok(());
    }
    apt.install(&["python3-venv"])?;
    make().map_err(VenvError::Create)
}

/// Removes `venv` if it is a symbolic link: `venv --clear` would follow it and empty a folder elsewhere.
fn remove_link(venv: &Path) -> Result<(), VenvError> {
    if !venv.is_symlink() {
        return Ok(());
    }
    announce(&format!(
        "replacing the symbolic link {} by a folder",
        venv.display()
    ));
    fs::remove_file(venv).map_err(|source| failed(venv, source))
}

fn failed(path: &Path, source: io::Error) -> VenvError {
    VenvError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::scratch::Scratch;

    const REQUIREMENTS: &str =
        "# A homeserver.\nmatrix-synapse==1.163.2\n\naiocoap[oscore]==0.4.17\n";

    #[test]
    fn a_requirement_is_a_name_and_a_version_without_its_extras() {
        assert_eq!(
            pins(REQUIREMENTS),
            ["matrix-synapse==1.163.2", "aiocoap==0.4.17"]
        );
    }

    /// An environment whose Python prints these versions.
    fn venv(folder: &Scratch, printed: &str) -> PathBuf {
        let venv = folder.path().join("venv");
        fs::create_dir_all(venv.join("bin")).unwrap();
        fs::rename(
            folder.script("python", &format!("printf '{printed}'")),
            venv.join("bin/python"),
        )
        .unwrap();
        venv
    }

    #[test]
    fn an_environment_with_another_version_of_a_package_is_not_complete() {
        let folder = Scratch::new("venv");
        let right = venv(&folder, "matrix-synapse==1.163.2\\naiocoap==0.4.17\\n");
        assert_eq!(missing(&right, REQUIREMENTS), [""; 0]);
        let old = venv(&folder, "matrix-synapse==1.90.0\\naiocoap==0.4.17\\n");
        assert_eq!(missing(&old, REQUIREMENTS), ["matrix-synapse==1.163.2"]);
    }

    #[test]
    fn an_environment_whose_python_is_gone_lacks_everything() {
        let folder = Scratch::new("venv");
        assert_eq!(missing(folder.path(), REQUIREMENTS).len(), 2);
    }

    #[test]
    fn a_symbolic_link_is_replaced_and_the_folder_it_points_to_keeps_its_files() {
        let folder = Scratch::new("venv");
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("precious"), "").unwrap();
        let link = folder.path().join("venv");
        symlink(&elsewhere, &link).unwrap();
        remove_link(&link).unwrap();
        assert!(elsewhere.join("precious").is_file() && !link.is_symlink());
    }
}
