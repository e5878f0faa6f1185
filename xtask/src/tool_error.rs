//! Errors about tools, and whether Debian's package of the tool can help.

use std::io;
use std::path::{Path, PathBuf};

use comatrix_rule_build::version::Version;

use crate::tool::{Found, Tool};

/// Where Debian's packages install programs.
const DEBIAN_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// Why a tool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not on the path.
    #[error("{} is not on PATH. Install it: apt-get install {}", .0.name(), .0.package)]
    Missing(&'static Tool),
    /// It is there, and a later version is needed.
    #[error(
        "{} is version {version}, and {} or later is needed: {}. Upgrade it, or remove it from PATH and run \
         `apt-get install {}`", file.display(), tool.minimum_version(), tool.reason, tool.package
    )]
    TooOld {
        file: PathBuf,
        version: Version,
        tool: &'static Tool,
    },
    /// Its version could not be read.
    #[error(
        "`{command}` prints no version, only {output:?}. Repair or remove that program; Debian's package {} has a \
         working one", tool.package
    )]
    Unreadable {
        command: String,
        output: String,
        tool: &'static Tool,
    },
    /// It could not be started.
    #[error(
        "cannot start {}: {source}. Repair or remove that program; Debian's package {} has a working one",
        file.display(), tool.package
    )]
    Start {
        file: PathBuf,
        source: io::Error,
        tool: &'static Tool,
    },
    /// Two programs that work only together are of different releases.
    #[error(
        "{} is version {} and {} is version {}; their first numbers must be equal. Install both from one source: \
         apt-get install {packages}", .found[0].file.display(), .found[0].version, .found[1].file.display(),
        .found[1].version
    )]
    Different {
        found: Box<[Found; 2]>,
        packages: String,
    },
}

impl ToolError {
    /// Whether Debian's package can help. It cannot if another program precedes Debian's on the path.
    pub fn is_for_apt(&self) -> bool {
        match self {
            Self::Missing(_) => true,
            Self::TooOld { file, .. } => is_debian(file),
            Self::Different { found, .. } => found.iter().all(|found| is_debian(&found.file)),
            Self::Unreadable { .. } | Self::Start { .. } => false,
        }
    }
}

fn is_debian(file: &Path) -> bool {
    DEBIAN_FOLDERS
        .iter()
        .any(|folder| file.parent() == Some(Path::new(folder)))
}
