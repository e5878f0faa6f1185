//! Files that last until the machine reboots: they are in memory (tmpfs), as the runtime folders of service managers
//! are.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FsWord, statfs};

use crate::file;

/// `TMPFS_MAGIC` of `linux/magic.h`.
const TMPFS: FsWord = 0x0102_1994;

/// The file could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It would outlive a reboot.
    #[error("{0} is not in memory (tmpfs)")]
    OnDisk(String),
    /// The system's reason.
    #[error("{0}: {1}")]
    System(String, io::Error),
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] file::FileError),
}

/// Whether a folder is in memory.
#[must_use]
pub fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| found.f_type == TMPFS)
}

/// The content of a private file that lasts until the machine reboots. If there is none of this length, the file gets
/// `fresh`.
///
/// # Errors
/// [`NotKept`]: the folder is on a disk, or the file cannot be read or written.
pub fn keep<const LENGTH: usize>(
    path: &Path,
    fresh: [u8; LENGTH],
) -> Result<[u8; LENGTH], NotKept> {
    let failed = |error| NotKept::System(path.display().to_string(), error);
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(folder).map_err(failed)?;
    if !is_in_memory(folder) {
        return Err(NotKept::OnDisk(folder.display().to_string()));
    }
    if let Some(kept) = file::read_if_there(path, LENGTH)?
        && let Ok(kept) = kept.try_into()
    {
        return Ok(kept);
    }
    file::write_whole(path, 0o600, &[&fresh]).map_err(failed)?;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    /// A folder in memory, if this machine has one.
    fn in_memory(name: &str) -> Option<PathBuf> {
        let shared = Path::new("/dev/shm");
        let is_tmpfs = statfs(shared).is_ok_and(|found| found.f_type == TMPFS);
        is_tmpfs.then(|| shared.join(format!("comatrix-{name}-{}", std::process::id())))
    }

    #[test]
    fn the_first_content_stays_and_only_its_user_can_read_it() {
        let Some(folder) = in_memory("until-reboot") else {
            return;
        };
        let path = folder.join("key");
        assert_eq!(keep(&path, [1; 4]).unwrap(), [1; 4]);
        assert_eq!(keep(&path, [2; 4]).unwrap(), [1; 4]);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, b"cut").unwrap();
        assert_eq!(keep(&path, [3; 4]).unwrap(), [3; 4]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_on_a_disk_is_refused() {
        let error = keep(&Path::new(env!("CARGO_MANIFEST_DIR")).join("key"), [1; 4]);
        assert!(matches!(error, Err(NotKept::OnDisk(_))), "{error:?}");
    }
}
